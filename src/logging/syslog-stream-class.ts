/** The class of the streams to the system log. */
import { Writable } from 'node:stream';
import type { Priority } from '../constants';
import { invalidArgType } from '../errors';
import { flushOnSignals } from '../exit-signals';
import { LogQueue, type SyslogStats } from '../posix/log-queue';
import { validateInteger } from '../validate';
import {
  readSyslogStreamOptions,
  type SyslogStreamOptions,
  validatePriority,
} from './syslog-options';

type Done = (error?: Error | null) => void;

/** Encodings of a string that is text, and not bytes. */
const textual = new Set<string>([
  'utf8',
  'utf-8',
  'ucs2',
  'ucs-2',
  'utf16le',
  'utf-16le',
  'latin1',
  'binary',
  'ascii',
  'buffer',
]);

/** Of bytes: where `pipe()` has its source wait. */
const highWaterMark = 1 << 16;
const mostWaiting = 1 << 20;

/** What `createSyslogStream` makes. */
export class SyslogStream extends Writable {
  readonly #queue: LogQueue;
  readonly #priority: Priority;
  readonly #flushTimeout: number;

  /** @internal `createSyslogStream` */
  constructor(options?: SyslogStreamOptions) {
    const complete = readSyslogStreamOptions(options);
    super({ decodeStrings: false, highWaterMark });
    this.#queue = new LogQueue(complete);
    this.#priority = complete.priority;
    this.#flushTimeout = complete.flushTimeout;
    flushOnSignals();
  }

  /**
   * Queues a message with a priority of its own, an entry for each line. It
   * costs about a microsecond, whatever the log daemon does. After the end of
   * the stream it still works.
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  send(priority: Priority, message: string): void {
    validatePriority(priority, 'priority');
    if (typeof message !== 'string')
      throw invalidArgType('message', 'of type string', message);
    this.#queue.send(priority, message);
  }

  /** What became of the messages, each line counted for itself. */
  stats(): SyslogStats {
    return this.#queue.stats();
  }

  /**
   * Waits until all that was queued is sent.
   * @param timeout in ms; the default is the option `flushTimeout`
   * @returns whether it is; false after the timeout
   */
  async flush(timeout = this.#flushTimeout): Promise<boolean> {
    validateInteger(timeout, 'timeout', 0);
    const end = performance.now() + timeout;
    for (
      let pause = 1;
      !this.#queue.flush(0);
      pause = Math.min(pause * 2, 20)
    ) {
      if (performance.now() >= end) return false;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return true;
  }

  /** Likewise, and the event loop waits as well. */
  flushSync(timeout = this.#flushTimeout): boolean {
    validateInteger(timeout, 'timeout', 0);
    return this.#queue.flush(timeout);
  }

  /** Has a thread read the pipes into this stream's queue. @internal */
  serve(out: number, err: number): void {
    this.#queue.serve(out, err);
  }

  override _write(
    chunk: string | Uint8Array,
    encoding: BufferEncoding,
    done: Done,
  ): void {
    if (typeof chunk === 'string' && textual.has(encoding)) {
      if (chunk !== '') this.#queue.send(this.#priority, chunk);
      return done();
    }
    this.#queue.write(
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    );
    this.#wait(done);
  }

  // Bytes are often piped, from a source that can wait; who does not wait is
  // not to fill the memory.
  #wait(done: Done): void {
    if (this.writableLength > mostWaiting || !this.#queue.shouldWait()) done();
    else setTimeout(() => this.#wait(done), 1);
  }

  override _final(done: Done): void {
    this.#queue.end();
    void this.flush().then(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#queue.end();
    done(error);
  }
}
