/** Processes, process groups and sessions. */
import { binding } from '../binding';
import { check } from '../errors';
import { validatePid } from '../validate';

/**
 * Makes the calling process leader of a new session and process group, without
 * a controlling terminal.
 * @returns the session id, equal to `process.pid`
 * @throws {PosixError} `EPERM` the process already leads a group, as one started
 *   from a shell does; call it after `fork()`
 * @see POSIX.1-2017 setsid()
 */
export function setsid(): number {
  return check(binding.setsid(), 'setsid');
}

/**
 * The session of a process.
 * @param pid a process, 0 (the default) for the calling one
 * @returns the session id: the pid of the process that called `setsid()`
 * @throws {PosixError} `ESRCH` there is no such process
 * @see POSIX.1-2017 getsid()
 */
export function getsid(pid = 0): number {
  validatePid(pid, 'pid', 0);
  return check(binding.getsid(pid), 'getsid');
}

/**
 * The process group of a process.
 * @param pid a process, 0 (the default) for the calling one
 * @returns the process group id
 * @throws {PosixError} `ESRCH` there is no such process
 * @see POSIX.1-2017 getpgid()
 */
export function getpgid(pid = 0): number {
  validatePid(pid, 'pid', 0);
  return check(binding.getpgid(pid), 'getpgid');
}

/**
 * Moves a process, the calling one or a child of it, into a process group.
 * @param pid the process, 0 for the calling one
 * @param pgid an existing group of the same session, or `pid` or 0 for a new
 *   group that the process then leads
 * @throws {PosixError} `EACCES` the child has executed another program already;
 *   `EPERM` it leads a session, or the group or the child is of another session;
 *   `ESRCH` it is neither the calling process nor a child of it
 * @see POSIX.1-2017 setpgid()
 */
export function setpgid(pid: number, pgid: number): void {
  validatePid(pid, 'pid', 0);
  validatePid(pgid, 'pgid', 0);
  check(binding.setpgid(pid, pgid), 'setpgid');
}

/**
 * The id of the calling process, from the kernel: right also where a copy of
 * `process.pid` was taken before a `fork()`.
 * @see POSIX.1-2017 getpid()
 */
export function getpid(): number {
  return binding.getpid();
}

/**
 * The id of the parent process: 1, or that of a subreaper, once the parent has
 * ended; 0 if the parent is in another PID namespace.
 * @see POSIX.1-2017 getppid()
 */
export function getppid(): number {
  return binding.getppid();
}
