/** What the command writes to its log, shown on the terminal until it is ready. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Target } from '../../options';
import { write } from '../terminal';

/** How often it looks, in ms. */
const interval = 100;

export class Tail {
  readonly #fd: number;
  #at: number;
  readonly #timer: NodeJS.Timeout;

  /**
   * Begins where the file ends now.
   * @returns undefined where nothing can be shown: no file, or one that this
   *   user may not read
   */
  static of(targets: readonly Target[]): Tail | undefined {
    const path = errorFile(targets);
    try {
      return path === undefined ? undefined : new Tail(openSync(path, 'r'));
    } catch {
      return undefined;
    }
  }

  private constructor(fd: number) {
    this.#fd = fd;
    const stats = fstatSync(fd);
    this.#at = stats.isFile() ? stats.size : Infinity;
    this.#timer = setInterval(() => this.#show(), interval);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#show();
    closeSync(this.#fd);
  }

  /** In a supervisor, whose standard error is the file: it would never end. */
  drop(): void {
    this.#at = Infinity;
  }

  #show(): void {
    if (this.#at === Infinity) return;
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      const length = readSync(this.#fd, chunk, 0, chunk.length, this.#at);
      if (length === 0) return;
      this.#at += length;
      write(2, chunk.subarray(0, length));
    }
  }
}

/** The path that standard error leads to. */
export function errorFile(targets: readonly Target[]): string | undefined {
  let target = targets[2];
  if (target === 1) target = targets[1];
  if (typeof target === 'object') return target.path;
  const isPath = typeof target === 'string' && !words.includes(target);
  return isPath ? (target as string) : undefined;
}

const words = ['null', 'inherit', 'syslog'];
