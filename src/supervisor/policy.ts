/** Whether and when a command that has ended is started again. */
import { type Signal, signalNumber } from '../constants';
import type { RestartOptions } from './options';

/** How a command ended, or that it could not be executed. */
export interface End {
  exitCode: number | null;
  signal: Signal | null;
}

/** What a shell gives for the end by a signal, less its number. */
const bySignal = 128;

/** The exit status of who ends as the command did. */
export function statusOf({ exitCode, signal }: End): number {
  return signal === null ? exitCode! : bySignal + signalNumber(signal)!;
}

export type Decision =
  | { restart: true; delay: number }
  /** `'final'`: that is its end; `'limit'`: too many restarts. */
  | { restart: false; because: 'final' | 'limit' };

/** Ends by a signal that are no failures. @see systemd.service(5), Restart= */
const clean: readonly (Signal | null)[] = [
  'SIGHUP',
  'SIGINT',
  'SIGTERM',
  'SIGPIPE',
];

export class RestartPolicy {
  readonly #options: RestartOptions;
  #delay: number;
  /** When the last restarts were, as many as the limit counts. */
  #restarts: number[] = [];

  constructor(options: RestartOptions) {
    this.#options = options;
    this.#delay = options.delay;
  }

  /**
   * @param uptime ms that the command was up; 0: it could not be executed
   * @param now ms of a clock that only goes forward
   */
  decide(end: End, uptime: number, now: number): Decision {
    if (this.#isFinal(end)) return { restart: false, because: 'final' };
    if (this.#isTooMuch(now)) return { restart: false, because: 'limit' };
    const { delay, maxDelay, resetAfter } = this.#options;
    if (uptime >= resetAfter) this.#delay = delay;
    const wait = Math.min(this.#delay, maxDelay);
    this.#delay = wait * 2;
    return { restart: true, delay: wait };
  }

  #isFinal({ exitCode, signal }: End): boolean {
    const { when, finalCodes } = this.#options;
    if (exitCode !== null && finalCodes.includes(exitCode)) return true;
    return when === 'on-failure' && (exitCode === 0 || clean.includes(signal));
  }

  /** Counts this restart, unless it is one too many. */
  #isTooMuch(now: number): boolean {
    const { limit } = this.#options;
    if (!limit) return false;
    this.#restarts = this.#restarts.filter((at) => now - at < limit.window);
    if (this.#restarts.length >= limit.restarts) return true;
    this.#restarts.push(now);
    return false;
  }
}
