/** Where descriptors 0, 1 and 2 will lead. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Target } from './options';
import { dup2 } from './posix/descriptors';
import { listLoopHandles } from './posix/loop';
import { isInUse, LiveStream, renewInput } from './streams';

const outputMode = 0o640;

/** The targets of the standard streams: opened, then put in place. */
export class StandardStreams {
  readonly #targets: readonly Target[];
  /** What becomes 0, 1 and 2; undefined where nothing changes. */
  #sources: (number | undefined)[] = [];
  readonly #opened: number[] = [];
  #live: (LiveStream | undefined)[] = [];

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
  }

  /** Opens the files; an error here has changed nothing. */
  open(): void {
    try {
      this.#sources = this.#targets.map((target, fd) =>
        this.#openTarget(target, fd),
      );
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #openTarget(target: Target, fd: number): number | undefined {
    if (target === 'inherit' || target === fd) return undefined;
    if (typeof target === 'number') {
      fstatSync(target);
      return target;
    }
    const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;
    const source =
      target === 'null'
        ? openSync('/dev/null', O_RDWR)
        : fd === 0
          ? openSync(target, O_RDONLY)
          : openSync(target, O_WRONLY | O_APPEND | O_CREAT, outputMode);
    this.#opened.push(source);
    return source;
  }

  /** Closes what open() opened. */
  close(): void {
    for (const fd of this.#opened.splice(0)) closeSync(fd);
  }

  /** Sends what was written so far to where it was written. */
  flush(): void {
    const handles = listLoopHandles();
    this.#live = this.#sources.map((source, fd) =>
      source !== undefined && isInUse(fd, handles)
        ? new LiveStream(fd)
        : undefined,
    );
    for (const stream of this.#live) stream?.flush();
  }

  /** Puts the targets in place, under the streams that are in use as well. */
  redirect(): void {
    for (const [fd, source] of this.#sources.entries()) {
      if (source === undefined) continue;
      this.#live[fd]?.release();
      dup2(source, fd);
      this.#live[fd]?.resume();
      // Node's own stream is the better one for a socket or a pipe.
      if (fd === 0 && typeof this.#targets[0] === 'string') renewInput();
    }
    this.close();
  }
}
