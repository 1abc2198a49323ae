export { daemonize, explain } from './daemonize';
export type { DaemonContext, Explanation } from './daemonize';
export type { DaemonizeOptions, Target } from './options';
export { fork } from './posix/fork';
export {
  getpgid,
  getpid,
  getppid,
  getsid,
  setpgid,
  setsid,
} from './posix/session';
export { close, closefrom, dup2, flock } from './posix/descriptors';
export type { ClosefromOptions, FlockOptions } from './posix/descriptors';
export { signal } from './posix/signals';
export type { Disposition } from './posix/signals';
export { getrlimit, setrlimit } from './posix/limits';
export type { Limits } from './posix/limits';
export { closelog, openlog, setlogmask, syslog } from './posix/syslog';
export type { LogMask } from './posix/syslog';
export { _exit, chdir, chroot, execvp, umask, waitpid } from './posix/process';
export type { WaitpidOptions, WaitStatus } from './posix/process';
export { DaemonError, PosixError } from './errors';
export type { DaemonErrorCode, DaemonErrorDetails } from './errors';
export type {
  Facility,
  Lock,
  Priority,
  Resource,
  Signal,
  SyslogOption,
} from './constants';
