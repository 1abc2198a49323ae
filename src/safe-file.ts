/** Files that root opens where others may be at work. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { DaemonError, PosixError } from './errors';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

const directoryMode = 0o755;

/** Bits of a mode: somebody beside the owner could choose the pid. */
export const writableByOthers = 0o022;

/** Whom a file belongs to. */
export interface Owner {
  uid: number;
  gid: number;
}

/** Calls of `node:fs` about one file; their errors in our own shape. */
export function onFile<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException;
    if (errno === undefined || syscall === undefined) throw error;
    throw new PosixError(errno, syscall, path);
  }
}

/** What open(2) says where no regular file is. */
const refusals: Readonly<Record<string, string>> = {
  ELOOP: 'is a symbolic link',
  EISDIR: 'is a directory',
  ENXIO: 'is no regular file',
};

/**
 * Opens a regular file with one name that only its owner may write to. Never
 * waits, as for the other end of a FIFO. The descriptor is closed on exec.
 * @param owners the users that it may belong to; anybody, if not given
 * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE` it is something else
 * @throws {PosixError} the errors of open(2)
 */
export function openSafely(
  path: string,
  flags: number,
  mode?: number,
  owners?: readonly number[],
): number {
  let fd: number;
  try {
    // Node adds O_CLOEXEC.
    fd = onFile(path, () =>
      openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, mode),
    );
  } catch (error) {
    const reason = refusals[(error as PosixError).code];
    if (reason === undefined) throw error;
    throw new DaemonError('ERR_DAEMON_UNSAFE_PIDFILE', { path, reason });
  }
  const reason = judge(fstatSync(fd), owners);
  if (reason === undefined) return fd;
  closeSync(fd);
  throw new DaemonError('ERR_DAEMON_UNSAFE_PIDFILE', { path, reason });
}

function judge(stats: Stats, owners?: readonly number[]): string | undefined {
  if (stats.isDirectory()) return refusals.EISDIR;
  if (!stats.isFile()) return refusals.ENXIO;
  // Otherwise somebody makes us empty a file that he may not even read.
  if (stats.nlink > 1) return 'has a second name, a hard link';
  if (stats.mode & writableByOthers) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    const who = stats.mode & 0o002 ? 'everybody' : 'its group';
    return `may be written by ${who} (its mode is ${mode})`;
  }
  if (owners?.includes(stats.uid) === false)
    return `belongs to the user with the uid ${stats.uid}`;
  return undefined;
}

/** Whether a path leads to an open file. */
export function leadsTo(path: string, fd: number): boolean {
  return onFile(path, () => {
    const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const open = fstatSync(fd, { bigint: true });
    return there?.dev === open.dev && there.ino === open.ino;
  });
}

/** Makes the directories of a path that are missing, whatever the umask. */
export function makeDirectories(path: string, owner?: Owner): void {
  const first = onFile(path, () =>
    mkdirSync(path, { recursive: true, mode: directoryMode }),
  );
  if (first === undefined) return;
  // From the innermost on: who owns a directory may put another one there.
  for (let at = path; at.length >= first.length; at = dirname(at)) {
    onFile(at, () => {
      const fd = openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      try {
        fchmodSync(fd, directoryMode);
        if (owner) fchownSync(fd, owner.uid, owner.gid);
      } finally {
        closeSync(fd);
      }
    });
  }
}

/** Makes an open file root's where root asks, and sets the mode if it is ours. */
export function takeOver(fd: number, mode: number): void {
  const { mode: old, uid } = fstatSync(fd);
  const me = process.geteuid!();
  if (me === 0 && uid !== me) fchownSync(fd, me, process.getegid!());
  if ([uid, 0].includes(me) && (old & 0o777) !== mode) fchmodSync(fd, mode);
}
