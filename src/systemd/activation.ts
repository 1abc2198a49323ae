/** sd_listen_fds(3): descriptors that the service manager opened for us. */
import { invalidArgValue, PosixError } from '../errors';
import { setCloexec } from '../posix/descriptors';
import { getpid } from '../posix/session';
import { validateBoolean, validateOptions } from '../validate';

/** Options of {@link listenFds}. */
export interface ListenFdsOptions {
  /**
   * Take the variables out of `process.env`, so that programs started later do
   * not get them. The next call gives `[]` then. Default: `false`.
   */
  unset?: boolean;
}

/** A descriptor from the service manager. */
export interface ListenFd {
  /** For `server.listen({ fd })`, or what else it is. */
  fd: number;
  /**
   * `FileDescriptorName=` of the socket unit, by default the unit's name; or the
   * `fdname` that it was stored with; `'unknown'` where the manager names none.
   */
  name: string;
}

/** SD_LISTEN_FDS_START. */
const first = 3;

/** How many {@link listenFds} has given, whatever became of the variables. */
let given = 0;

/**
 * The descriptors that the service manager passed to this process: sockets of
 * its `.socket` units, then files kept from its last run (see `fds` of
 * `notify`). Programs that are started later do not inherit them.
 * @returns in the manager's order; `[]` where there are none, or where they are
 *   meant for another process
 * @throws {TypeError} `ERR_INVALID_ARG_VALUE` a variable is malformed, there are not
 *   as many names as descriptors, or one is not open
 * @see sd_listen_fds_with_names(3)
 */
export function listenFds(options: ListenFdsOptions = {}): ListenFd[] {
  validateOptions(options, 'options', ['unset']);
  const { unset = false } = options;
  validateBoolean(unset, 'options.unset');
  try {
    return readFds();
  } finally {
    // Whatever came of it, as sd_listen_fds does.
    if (unset) unsetVariables();
  }
}

function readFds(): ListenFd[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env;
  if (pid === undefined) return [];
  if (readNumber('LISTEN_PID', pid) !== getpid()) return [];
  if (count === undefined) return [];
  const length = readNumber('LISTEN_FDS', count);
  const names = readNames(length);
  const fds: ListenFd[] = [];
  for (let i = 0; i < length; i++) {
    closeOnExec(first + i, count);
    fds.push({ fd: first + i, name: names?.[i] ?? 'unknown' });
  }
  given = length;
  return fds;
}

/**
 * The descriptors that the manager passed to this process, by its variables or
 * by what {@link listenFds} has read there before it took them away.
 */
export function listActivated(): number[] {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  const here = LISTEN_PID === String(getpid());
  const length = Math.max(given, (here && Number(LISTEN_FDS)) || 0);
  return Array.from({ length }, (_, index) => first + index);
}

function unsetVariables(): void {
  delete process.env.LISTEN_PID;
  delete process.env.LISTEN_PIDFDID;
  delete process.env.LISTEN_FDS;
  delete process.env.LISTEN_FDNAMES;
}

function readNumber(variable: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value))
    throw invalidArgValue(
      `process.env.${variable}`,
      value,
      'must be a number above 0',
    );
  return Number(value);
}

function readNames(length: number): string[] | undefined {
  const { LISTEN_FDNAMES: text } = process.env;
  if (text === undefined) return undefined;
  const names = text.split(':');
  if (names.length !== length) {
    const reason = `must have as many names as LISTEN_FDS says: ${length}`;
    throw invalidArgValue('process.env.LISTEN_FDNAMES', text, reason);
  }
  return names;
}

function closeOnExec(fd: number, count: string): void {
  try {
    setCloexec(fd);
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== 'EBADF') throw error;
    const reason = `counts the descriptor ${fd}, which is not open`;
    throw invalidArgValue('process.env.LISTEN_FDS', count, reason);
  }
}
