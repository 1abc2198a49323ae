/** Pipes that a thread reads and sends to the system log, line by line. */
import { binding } from '../binding';
import { check } from '../errors';

/** The two descriptors of a pipe. */
export interface LogPipe {
  read: number;
  write: number;
}

/**
 * Opens the log as a daemon's (facility `'daemon'`, with the pid) wherever
 * nobody else has opened it: at once, so that a `chroot` may follow.
 * @param ident stands before each message; an empty one takes the call back
 */
export function setDefaultLog(ident: string): void {
  binding.setDefaultLog(ident);
}

/**
 * A pipe for {@link serveLogPipes}, with room for 1 MB where the user may have
 * so much. When it is full, because the log daemon is behind, who writes waits.
 * @throws {PosixError} `EMFILE`, `ENFILE`
 */
export function openLogPipe(): LogPipe {
  const [read, write] = binding.openLogPipe();
  return { read: check(read, 'pipe'), write };
}

/**
 * Starts the thread that reads the pipes, which it owns from now on, and sends
 * each line: those of `out` as `'info'`, those of `err` as `'err'`. At exit(3)
 * what is in the pipes is sent first, within 1 s. Once in a process.
 * @param out the end to be read, or -1; so `err`
 * @throws {PosixError} `EAGAIN` the user has too many threads; `EMFILE`
 */
export function serveLogPipes(out: number, err: number): void {
  check(binding.serveLogPipes(out, err), 'clone');
}
