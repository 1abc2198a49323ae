/**
 * Takes a PID file that nobody holds: for a daemon that starts, which waits its
 * turn, or to remove what a dead one has left.
 */
import { closeSync, constants, fstatSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { DaemonError } from './errors';
import { readContent, reserve } from './pidfile-content';
import { askLock, takeLocks } from './pidfile-lock';
import type { readPidfileOptions } from './pidfile-options';
import { type FileId, findHolder, judgeFree, patience } from './pidfile-state';
import {
  leadsTo,
  makeDirectories,
  onFile,
  openSafely,
  type Owner,
  takeOver,
} from './safe-file';

/** Where somebody has a lock: 100 ms in all, as FreeBSD. */
const lockedAttempts = 20;

/**
 * Makes the file, or takes over the one of a daemon that is gone, locks it and
 * empties it. Waits as `Pidfile.open` says, whose errors it throws.
 * @param path absolute
 * @returns its descriptor
 */
export function claimPidfile(
  path: string,
  { mode, mkdir, owner }: ReturnType<typeof readPidfileOptions>,
): number {
  if (mkdir) makeDirectories(dirname(path), owner);
  const left = { locked: lockedAttempts, starting: patience.attempts };
  for (;;) {
    const fd = tryToClaim(path, mode, owner);
    if (fd !== undefined) return fd;
    const pid = findHolder(path);
    const attempts = --left[pid === undefined ? 'starting' : 'locked'];
    if (typeof pid === 'number' || attempts === 0) {
      const details = { pid: pid ?? undefined, path };
      throw new DaemonError('ERR_DAEMON_ALREADY_RUNNING', details);
    }
    const { pause } = patience;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
  }
}

/** One attempt; undefined where somebody else has a lock. */
function tryToClaim(
  path: string,
  mode: number,
  owner?: Owner,
): number | undefined {
  const owners = [0, process.geteuid!(), ...(owner ? [owner.uid] : [])];
  const flags = constants.O_RDWR | constants.O_CREAT;
  const fd = openSafely(path, flags, mode, owners);
  try {
    // Who is asked about a daemon that has no lock is not to find ours on it.
    if (onFile(path, () => askLock(fd)) === 'free' && leadsTo(path, fd))
      assertFree(path, fd);
    // Its last holder may have removed it since it was opened.
    if (takeLocks(fd) && leadsTo(path, fd)) {
      assertFree(path, fd);
      own(path, fd, mode);
      return fd;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}

/** Makes the file that was locked ours: empty, but for a block of the disk. */
function own(path: string, fd: number, mode: number): void {
  try {
    onFile(path, () => {
      reserve(fd);
      takeOver(fd, mode);
    });
  } catch (error) {
    try {
      unlinkSync(path);
    } catch {
      // What is left is empty and says nothing; the first error tells more.
    }
    throw error;
  }
}

/** Nobody else's lock is on it; but who has none may be named in it. */
function assertFree(path: string, fd: number): void {
  const found = judgeFree(onFile(path, () => readContent(fd)));
  if (found.state === 'held') {
    const { pid } = found;
    throw new DaemonError('ERR_DAEMON_ALREADY_RUNNING', { pid, path });
  }
  if (found.state === 'unknown') {
    const { reason } = found;
    throw new DaemonError('ERR_DAEMON_PID_UNKNOWN', { path, reason });
  }
}

/**
 * Removes a file that a dead daemon has left, with its pid or empty, as one that
 * could not remove it; if it is still that file, and nobody has it: its lock is
 * taken for it.
 * @returns whether it was removed; not where this process has no right to
 */
export function removeStale(path: string, pid: number, file: FileId): boolean {
  let fd: number;
  try {
    fd = openSafely(path, constants.O_RDWR);
  } catch {
    return false;
  }
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    if (dev !== file.dev || ino !== file.ino) return false;
    // Looked at before as well: a daemon without a lock is not to find ours.
    if (!isLeftBy(pid, fd) || !takeLocks(fd)) return false;
    if (!isLeftBy(pid, fd) || !leadsTo(path, fd)) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false; // EACCES, EROFS: it stays, and means nothing
  } finally {
    closeSync(fd);
  }
}

function isLeftBy(pid: number, fd: number): boolean {
  const content = readContent(fd);
  return content
    ? content.pid === pid && judgeFree(content).state === 'free'
    : fstatSync(fd).size === 0;
}
