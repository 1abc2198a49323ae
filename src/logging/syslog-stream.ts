/** A stream to the system log that never blocks the event loop. */
import type { SyslogStreamOptions } from './syslog-options';
import type { SyslogStream } from './syslog-stream-class';

export type { SyslogStream };

/**
 * Loaded when it is first needed: node:stream takes a millisecond, which only
 * who logs shall pay. It is a part of the same file, so a chroot may come before.
 */
const load = (): typeof import('./syslog-stream-class') =>
  require('./syslog-stream-class') as typeof import('./syslog-stream-class');

/** Whether {@link createSyslogStream} made it. */
export function isSyslogStream(value: unknown): value is SyslogStream {
  return value instanceof load().SyslogStream;
}

/**
 * Makes a Writable to the system log. Each line that is written becomes an
 * entry, in the form that syslog(3) gives it; a thread sends them. A log daemon
 * that is stopped, slow, late or started again holds nobody up and loses
 * nothing: messages wait in a bounded queue, and what was sent to a log daemon
 * that ended before it read it is sent to the next one.
 *
 * A string is one or more whole messages; a Buffer is a part of a stream of
 * bytes, whose last line is held until its newline comes or the stream ends.
 * `write()` always takes it: what the queue has no room for is dropped, the
 * least urgent first, counted by `stats()` and told in the log when it is read
 * again. Bytes that are piped in wait while the queue is half full and the log
 * daemon reads. Control characters become visible. `setlogmask()` holds here too.
 *
 * At the end of the process what is queued is sent, within `flushTimeout`: on
 * `process.exit()`, an error that nobody catches, and SIGTERM, SIGINT or SIGHUP
 * that the program does not listen to. `execvp()` and `_exit()` do not wait.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {PosixError} the fallback file cannot be opened; `EAGAIN` the user has
 *   too many threads
 * @see RFC 3164; POSIX.1-2017 syslog()
 */
export function createSyslogStream(
  options?: SyslogStreamOptions,
): SyslogStream {
  return new (load().SyslogStream)(options);
}
