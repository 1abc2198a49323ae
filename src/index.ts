export { daemonize, explain } from './daemonize';
export type { Explanation } from './daemonize';
export type { DaemonContext } from './context';
export { Daemon } from './daemon';
export type { DaemonHooks, DaemonOptions } from './daemon-options';
export type { DaemonStatus, ReloadOptions, StopOptions } from './control';
export type {
  DaemonizeOptions,
  FileTarget,
  PidfileTarget,
  SyslogOptions,
  Target,
} from './options';
export { Pidfile } from './pidfile';
export type { PidfileOptions, PidfileWriteOptions } from './pidfile-options';
export type { Owner } from './safe-file';
export type { PrivilegeOptions } from './privileges';
export type { LauncherKind } from './surroundings';
export { listenFds } from './systemd/activation';
export type { ListenFd, ListenFdsOptions } from './systemd/activation';
export { notify } from './systemd/notify';
export type { NotifyState } from './systemd/notify';
export { startWatchdog, watchdogInterval } from './systemd/watchdog';
export { createSyslogStream } from './logging/syslog-stream';
export type { SyslogStream } from './logging/syslog-stream';
export type { SyslogStreamOptions } from './logging/syslog-options';
export type { SyslogStats } from './posix/log-queue';
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
export { SyslogConsole } from './logging/syslog-console';
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
