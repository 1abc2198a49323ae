/** Queues of messages that a thread sends to the log daemon. */
import { binding, type LogHandle } from '../binding';
import {
  facilities,
  type Facility,
  priorities,
  type Priority,
} from '../constants';
import { check } from '../errors';

/** How a queue is made; see `SyslogStreamOptions`, where all of it is optional. */
export interface LogQueueOptions {
  path: string;
  ident: string;
  facility: Facility;
  /** Of what is written as bytes. */
  priority: Priority;
  pid: boolean;
  maxQueueBytes: number;
  maxLength: number;
  flushTimeout: number;
  /** Descriptor of a file, which the queue owns from then on; -1: none. */
  fallback: number;
  fallbackAfter: number;
}

/** What became of the messages, each line of them counted for itself. */
export interface SyslogStats {
  /** Waiting to be sent. */
  queued: number;
  /** What they take in memory, in bytes. */
  queuedBytes: number;
  /** Taken by the log daemon's socket. */
  sent: number;
  /** Given up because the queue was full, or the fallback file. */
  dropped: number;
  /** Written to the fallback file. */
  fallback: number;
  /** Whether there is a connection to the log daemon. */
  connected: boolean;
}

/**
 * One logger's queue. It ends with the last reference to it, or with its Worker;
 * what is in it then is still sent.
 */
export class LogQueue {
  readonly #handle: LogHandle;

  /**
   * Connects at once, where there is a log daemon; so a `chroot` may follow.
   * @throws {PosixError} `EAGAIN` the user has too many threads
   */
  constructor(options: LogQueueOptions) {
    const handle = binding.openLogChannel(
      options.path,
      options.ident,
      facilities[options.facility],
      options.pid,
      options.maxQueueBytes,
      options.maxLength,
      options.flushTimeout,
      options.fallback,
      options.fallbackAfter,
      priorities[options.priority],
    );
    if (typeof handle === 'number') check(handle, 'clone');
    this.#handle = handle as LogHandle;
  }

  /** A message of one or more lines. */
  send(priority: Priority, message: string): void {
    binding.sendToLog(this.#handle, priorities[priority], message);
  }

  /** A part of a stream of bytes: what comes after the last newline is held. */
  write(bytes: Uint8Array): void {
    binding.writeToLog(this.#handle, bytes);
  }

  /** The end of that stream: sends what is held. */
  end(): void {
    binding.endLogLine(this.#handle);
  }

  /** Whether it is half full, and the log daemon reads: who can wait should. */
  shouldWait(): boolean {
    return binding.shouldWaitForLog(this.#handle);
  }

  stats(): SyslogStats {
    const [queued, queuedBytes, sent, dropped, fallback, connected] =
      binding.logStats(this.#handle);
    return {
      queued,
      queuedBytes,
      sent,
      dropped,
      fallback,
      connected: connected === 1,
    };
  }

  /**
   * Waits, and the event loop with it, until all is sent.
   * @returns false after `timeout` ms
   */
  flush(timeout: number): boolean {
    return binding.flushLog(this.#handle, timeout);
  }

  /**
   * As `serveLogPipes` of log-pipes.ts, which feeds this queue.
   * @internal
   */
  serve(out: number, err: number): void {
    check(binding.serveLogPipes(out, err, this.#handle), 'clone');
  }
}

/**
 * Has the main thread call a function, soon after {@link tellOfWorkerQueue} was
 * called in a Worker.
 */
export function onWorkerQueue(callback: () => void): void {
  binding.listenToWorkers(callback);
}

/** For a Worker that has a queue. */
export function tellOfWorkerQueue(): void {
  binding.tellMainThread();
}

/** Waits as the end of a process does, for all queues of this process. */
export function flushAllLogs(): void {
  binding.flushAllLogs();
}
