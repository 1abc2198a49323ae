/** File descriptors by number. */
import { binding } from '../binding';
import { type Lock, locks } from '../constants';
import { check } from '../errors';
import {
  validateArray,
  validateBoolean,
  validateFd,
  validateOneOf,
  validateOptions,
} from '../validate';

/** `LOCK_NB` of flock(2). */
const nonblocking = 4;

/**
 * Makes `newfd` another name of the open file `oldfd`, in one step: what was
 * open as `newfd` is closed. A program executed later inherits `newfd`.
 *
 * `process.stdin`, `stdout` and `stderr` know nothing of it: they go on writing
 * to the number, but a stream for a terminal or a pipe may treat the new file
 * wrongly.
 * @returns `newfd`
 * @throws {PosixError} `EBADF` `oldfd` is not open, or `newfd` is beyond the limit
 *   `nofile`
 * @see POSIX.1-2017 dup2()
 */
export function dup2(oldfd: number, newfd: number): number {
  validateFd(oldfd, 'oldfd');
  validateFd(newfd, 'newfd');
  return check(binding.dup2(oldfd, newfd), 'dup2');
}

/**
 * Closes a descriptor, whoever it belongs to. Where Node has it in use, it will
 * fail with `EBADF` later, or disturb the next file of that number.
 * @throws {PosixError} `EBADF` it is not open; `EIO`, `ENOSPC` or `EDQUOT` it is
 *   closed, but something written before is lost
 * @see POSIX.1-2017 close()
 */
export function close(fd: number): void {
  validateFd(fd, 'fd');
  check(binding.close(fd), 'close');
}

/** Options of {@link closefrom}. */
export interface ClosefromOptions {
  /** Descriptors that stay open. Default: none. */
  except?: readonly number[];
}

/**
 * Closes every descriptor from `lowfd` on. **Node's own are among them**: its
 * event loop cannot live without, and the process will abort. So this is for the
 * moment before `execvp()` or `_exit()`; `daemonize` has a way of its own
 * to close only what was inherited. The connections and fallback files of
 * syslog streams stay, since their threads use them; they end with the process,
 * and at `execvp()`.
 * @param lowfd the lowest to be closed
 * @throws {PosixError} `ENOENT` /proc is not mounted, nothing was closed; `EIO`,
 *   `ENOSPC` or `EDQUOT` all are closed, but something written before is lost
 * @see closefrom(3) of the BSDs
 */
export function closefrom(lowfd: number, options: ClosefromOptions = {}): void {
  validateFd(lowfd, 'lowfd');
  validateOptions(options, 'options', ['except']);
  const { except = [] } = options;
  validateArray(except, 'options.except');
  except.forEach((fd, i) => validateFd(fd, `options.except[${i}]`));
  check(binding.closefrom(lowfd, except), 'closefrom');
}

/** Options of {@link flock}. */
export interface FlockOptions {
  /** Do not wait for a lock that another one holds. Default: `false`. */
  nonblock?: boolean;
}

/**
 * Locks an open file, or unlocks it. The lock belongs to the open file: it is
 * shared with copies of the descriptor, those of a forked child too, and ends
 * when the last of them is closed. It binds only those who ask for it as well.
 *
 * Without `nonblock` the whole thread waits, its event loop included.
 * @returns true, or false where `nonblock` is set and another one has the lock
 * @throws {PosixError} `EBADF` it is not open; `ENOLCK` the kernel has no memory
 *   left for locks
 * @see flock(2)
 */
export function flock(
  fd: number,
  operation: Lock,
  options: FlockOptions = {},
): boolean {
  validateFd(fd, 'fd');
  validateOneOf(operation, 'operation', Object.keys(locks));
  validateOptions(options, 'options', ['nonblock']);
  const { nonblock = false } = options;
  validateBoolean(nonblock, 'options.nonblock');
  const flags = locks[operation] | (nonblock ? nonblocking : 0);
  return check(binding.flock(fd, flags), 'flock') === 1;
}

/**
 * Descriptors above 2 that were inherited and that nothing uses, so far as the
 * process can know: open when this package was loaded, and now, but in no epoll
 * and no handle of the event loop. What a program opened before it loaded this
 * package, and uses through raw `fs` calls only, looks the same.
 */
export function listInherited(): number[] {
  return binding.inheritedDescriptors();
}

/**
 * Closes the descriptor in programs that are executed later, or keeps it open.
 * @throws {PosixError} `EBADF` it is not open
 * @see POSIX.1-2017 fcntl(), `FD_CLOEXEC`
 */
export function setCloexec(fd: number, on = true): void {
  check(binding.setCloexec(fd, on ? 1 : 0), 'fcntl');
}

/** The two descriptors of a pipe. */
export interface Pipe {
  read: number;
  write: number;
}

/**
 * A pipe without close-on-exec: `fork()` leaves it to both processes. With that
 * flag it would be taken for one of Node's own, and the child would get another.
 * @throws {PosixError} `EMFILE`, `ENFILE`
 * @see POSIX.1-2017 pipe()
 */
export function pipe(): Pipe {
  const [read, write] = binding.pipe();
  return { read: check(read, 'pipe'), write };
}
