/**
 * The locks of a PID file: two, taken for the daemon's life. Both belong to the
 * open file, so they outlive the launching process and end with the daemon,
 * however it ends.
 *
 * The one that decides is fcntl(2)'s of an open file (`F_OFD_SETLK`). It can be
 * asked for without being taken, so who asks never keeps a daemon from
 * starting; flock(2) has no such question, and /proc/locks, which has the
 * answer, hides it in a container once the launching process is gone. Only who
 * may write the file can take it for writing; flock(2) is open to every reader.
 * And its length says whether the pid is written: all of the file at first, one
 * byte from then on. So nobody takes for the daemon's what a dead one has left.
 *
 * flock(2) comes second, for flock(1) and for daemons that use libbsd's
 * pidfile(3): they find the file locked, and their lock keeps us from starting.
 */
import { flock } from './posix/descriptors';
import { findLock, lockFile, unlockFrom } from './posix/locks';

/** What is locked of a file that has its pid. */
const writtenLength = 1;

/** @returns false where somebody else has a lock; one may be taken then */
export function takeLocks(fd: number): boolean {
  return lockFile(fd) && flock(fd, 'exclusive', { nonblock: true });
}

/** The pid of the process that holds the locks is in the file from now on. */
export function declareWritten(fd: number): void {
  unlockFrom(fd, writtenLength);
}

/**
 * What the lock says, asked through another open file: a pid for a lock of
 * fcntl(2) that belongs to a process, as in APUE figure 13.6.
 */
export function askLock(fd: number): 'free' | 'starting' | 'written' | number {
  const lock = findLock(fd);
  if (lock === null) return 'free';
  if (lock.pid !== undefined) return lock.pid;
  return lock.length === writtenLength ? 'written' : 'starting';
}
