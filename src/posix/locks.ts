/**
 * Locks of fcntl(2) on a part of an open file. As those of flock(2) they belong
 * to the open file: a forked child shares them, the last close ends them. Unlike
 * those they can be asked for without being taken.
 */
import { binding } from '../binding';
import { check } from '../errors';

/**
 * Locks all of a file, however long it will be, against every other open file.
 * @returns false where another one has a lock on it, for reading too
 * @throws {PosixError} `EBADF` not open for writing; `ENOLCK`
 * @see fcntl(2), "Open file description locks"
 */
export function lockFile(fd: number): boolean {
  return check(binding.lockRange(fd, 0, 0), 'fcntl') === 1;
}

/** Gives back the bytes from `start` on; those before stay locked. */
export function unlockFrom(fd: number, start: number): void {
  check(binding.unlockRange(fd, start, 0), 'fcntl');
}

/** A lock that keeps others from reading. */
export interface FoundLock {
  /**
   * Who has it, if it is a process's own lock (`F_SETLK`, lockf(3)); undefined
   * for one of an open file, and for a process of another PID namespace.
   */
  pid: number | undefined;
  /** Bytes; 0 for all to the end, however far that is. */
  length: number;
}

/** The first such lock on a file, other than by this open file, or null. */
export function findLock(fd: number): FoundLock | null {
  const [result, pid, length] = binding.findLock(fd);
  if (check(result, 'fcntl') === 0) return null;
  return { pid: pid > 0 ? pid : undefined, length };
}
