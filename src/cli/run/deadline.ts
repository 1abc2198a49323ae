/** Until when something has to have happened. */
export class Deadline {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  /** @param ms from now; `Infinity` for never */
  constructor(ms: number) {
    this.#set(performance.now() + ms);
  }

  /** Aborted when it has passed. */
  get passed(): AbortSignal {
    return this.#controller.signal;
  }

  /** Not before so many ms from now. */
  extend(ms: number): void {
    const at = performance.now() + ms;
    if (at > this.#at && !this.passed.aborted) this.#set(at);
  }

  /** Now. */
  pass(): void {
    this.end();
    this.#controller.abort();
  }

  /** Never any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #set(at: number): void {
    this.end();
    this.#at = at;
    if (at === Infinity) return;
    const ms = Math.min(at - performance.now(), 0x7fffffff);
    this.#timer = setTimeout(() => this.pass(), ms);
  }
}
