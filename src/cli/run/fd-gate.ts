/** A newline on a descriptor. */
import { openSync, readSync } from 'node:fs';
import {
  close,
  dup2,
  type Pipe,
  pipe,
  setCloexec,
} from '../../posix/descriptors';
import { waitReadable } from '../../posix/pidfd';
import type { Gate } from './gate';

const standard = [0, 1, 2] as const;

/**
 * A newline on a descriptor.
 * @see https://skarnet.org/software/s6/notifywhenup.html
 */
export class FdGate implements Gate {
  readonly status = undefined;
  readonly isOwing = false;
  readonly #fd: number;
  readonly #pipe: Pipe = pipe();
  /** What a supervisor passes. */
  #passed = this.#pipe.write;
  #ready = false;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  variables(): Record<string, string> {
    return {};
  }

  pass(): void {
    const { read, write } = this.#pipe;
    // One of them may have the number itself.
    if (read !== this.#fd) setCloexec(read);
    if (write === this.#fd) return;
    dup2(write, this.#fd);
    setCloexec(write);
  }

  // Not by dup2 in the supervisor: the number may be one of Node's own.
  fds(): readonly number[] {
    const others = Array.from({ length: this.#fd - standard.length }, () => -1);
    return [...standard, ...others, this.#passed];
  }

  keep(): void {
    close(this.#pipe.read);
  }

  drop(): void {
    if (this.#passed !== this.#pipe.write) return;
    this.#passed = openSync('/dev/null', 'r+');
    close(this.#pipe.write);
  }

  withhold(): void {
    setCloexec(this.#pipe.read);
    setCloexec(this.#pipe.write);
  }

  async opened(end: AbortSignal): Promise<boolean> {
    close(this.#pipe.write);
    while (!this.isOpen()) {
      if (this.#closed) return false;
      if (!(await waitReadable(this.#pipe.read, Infinity, end))) return false;
      this.#take();
    }
    return true;
  }

  isOpen(): boolean {
    return this.#ready;
  }

  async answered(): Promise<void> {}

  #take(): void {
    const buffer = Buffer.alloc(64);
    const length = readSync(this.#pipe.read, buffer);
    if (length === 0) this.#closed = true;
    else this.#ready = buffer.subarray(0, length).includes('\n');
  }
}
