/** Puts a word before each line of text that comes in pieces. */

const newline = 0x0a;

export class LinePrefixer {
  readonly #prefix: Buffer;
  readonly #emit: (lines: Buffer) => void;
  /** A line without its end. */
  #rest: Buffer[] = [];

  constructor(prefix: string, emit: (lines: Buffer) => void) {
    this.#prefix = Buffer.from(prefix);
    this.#emit = emit;
  }

  write(chunk: Buffer): void {
    let [start, end] = [0, chunk.indexOf(newline)];
    for (; end !== -1; end = chunk.indexOf(newline, start)) {
      this.#line(chunk.subarray(start, end + 1));
      start = end + 1;
    }
    if (start < chunk.length)
      this.#rest.push(Buffer.from(chunk.subarray(start)));
  }

  /** What has no newline yet gets one. */
  end(): void {
    if (this.#rest.length > 0) this.#line(Buffer.of(newline));
  }

  #line(end: Buffer): void {
    this.#emit(Buffer.concat([this.#prefix, ...this.#rest.splice(0), end]));
  }
}
