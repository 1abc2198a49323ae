/** What `daemonize` can be told. */
import type { SyslogOption } from './constants';
import type { SyslogStreamOptions } from './logging/syslog-options';
import type { LogMask } from './posix/syslog';
import type { PrivilegeOptions } from './privileges';

/** A file for output that is not made as usual. */
export interface FileTarget {
  path: string;
  /** Permissions of a file that is made, less the umask. @defaultValue `0o640` */
  mode?: number;
  /**
   * Make the directories that are missing on the way, with mode 0755 less the
   * umask. @defaultValue `false`
   */
  mkdir?: boolean;
}

/**
 * Where a standard stream leads: `'null'` for /dev/null, `'inherit'` to leave it
 * as it is, `'syslog'` (output only) to send each line to the system log, a
 * descriptor, or the path of a file. Files for output are opened in append mode
 * and made with mode 0640; `'/null'` would be a file of that name.
 * Descriptors are duplicated in the order stdin, stdout, stderr, so
 * `{ stdout: '/var/log/d.log', stderr: 1 }` sends both to one place.
 * docs/logs.md tells of rotation and the system log.
 */
export type Target = string | number | FileTarget;

/** A PID file: its path, or more. */
export interface PidfileTarget {
  path: string;
  /** @defaultValue `0o644` */
  mode?: number;
  /** Makes missing directories, owned by `user`. @defaultValue `false` */
  mkdir?: boolean;
}

/** How the daemon appears in the system log, and what happens when that is behind. */
export interface SyslogOptions extends Omit<
  SyslogStreamOptions,
  'priority' | 'pid' | 'path'
> {
  /** As for `openlog`. @defaultValue `title`, or the name of the script without its extension */
  ident?: string;
  /**
   * Without `'pid'` no entry has the pid. The others are for the program's own
   * calls of `syslog()`: what the daemon sends has `fallback` instead of
   * `'cons'`. @defaultValue `['pid']`
   */
  options?: readonly SyslogOption[];
  /** As `setlogmask`. @defaultValue everything is logged */
  mask?: LogMask;
}

/** Options of `daemonize`; each is optional. */
export interface DaemonizeOptions extends PrivilegeOptions {
  /** File mode creation mask. 0 is APUE's; 0o027 is wiser. @defaultValue `0` */
  umask?: number;
  /** Working directory of the daemon, below `chroot` where that is given. @defaultValue `'/'` */
  cwd?: string;
  /** Root directory of the daemon; only for root, and with `user`. @defaultValue unchanged */
  chroot?: string;
  /** What fd 0 reads. @defaultValue `'null'` */
  stdin?: string | number;
  /**
   * Where fd 1, `process.stdout` and `console.log` write.
   * @defaultValue `'null'`; `'syslog'` with the option `syslog`
   */
  stdout?: Target;
  /**
   * Where fd 2, `process.stderr` and `console.error` write, once the daemon is
   * ready: until then they still reach the terminal.
   * @defaultValue `'null'`; `'syslog'` with the option `syslog`
   */
  stderr?: Target;
  /**
   * Inherited descriptors to keep. What systemd passed by LISTEN_FDS is always
   * kept. @defaultValue `[]`
   */
  preserveFds?: readonly number[];
  /**
   * `'inherited'` closes what came through exec(2) and nothing in the process
   * uses; `'none'` closes nothing. @defaultValue `'inherited'`
   */
  closeFds?: 'inherited' | 'none';
  /** File that holds the pid, locked for the daemon's life. @defaultValue none */
  pidfile?: string | PidfileTarget;
  /**
   * Opens the system log. There go stdout and stderr, where they are not told
   * otherwise and the process detaches (each line, as `info` and `err`), warnings
   * (`warning`), errors that nobody catches (`crit`, with the stack), and why the
   * process ends (`notice`, or `err` where its status is not 0).
   * @defaultValue `false`
   */
  syslog?: boolean | SyslogOptions;
  /** `false` sets RLIMIT_CORE to 0. @defaultValue `true` */
  coreDumps?: boolean;
  /**
   * `'keep'`, or the names of the environment variables to keep; those by which
   * a supervisor speaks to the daemon (`LISTEN_FDS`, `NOTIFY_SOCKET`,
   * `WATCHDOG_USEC` and the like) stay. @defaultValue `'keep'`
   */
  env?: 'keep' | readonly string[];
  /**
   * `'reopen'` opens the log files again, as logrotate's `postrotate` wants; a
   * function is called with every signal. @defaultValue `'default'`
   */
  sighup?: 'default' | 'ignore' | 'reopen' | (() => void);
  /**
   * `'ignore'`: the kernel reaps children made by `fork()`, and nobody can wait
   * for them. Only until `node:child_process` starts something: libuv listens to
   * SIGCHLD then, reaps its own children, and leaves the default behind when the
   * last of them has ended. @defaultValue `'default'`
   */
  sigchld?: 'default' | 'ignore';
  /**
   * `'exit'` ends the daemon in order: `onStop`, then the `'exit'` listeners and
   * the removal of the PID file, status 0. In the foreground `SIGINT`, which
   * Ctrl-C sends, does the same. Where the program listens to the signal itself,
   * that is left to it. @defaultValue `'exit'`
   */
  sigterm?: 'default' | 'exit' | (() => void);
  /** What `sigterm: 'exit'` waits for before it ends the daemon. @defaultValue nothing */
  onStop?: () => unknown;
  /** How long it waits, in ms. @defaultValue `10000` */
  stopTimeout?: number;
  /**
   * Whether to leave the terminal and session. `'auto'`: not when started by
   * systemd, inetd, a container or a supervisor, which want their daemons in the
   * foreground. @defaultValue `'auto'`
   */
  detach?: boolean | 'auto';
  /**
   * `'manual'`: the launching process waits until `context.ready()`.
   * @defaultValue `'now'`, when `daemonize` returns
   */
  ready?: 'now' | 'manual';
  /** How long it waits, in ms; then the daemon is ended. @defaultValue `60000` */
  readyTimeout?: number;
  /**
   * Descriptor that takes a newline when the daemon is ready, and is closed then:
   * the number in the file `notification-fd` of an s6 service directory. One
   * that was not passed to this process is an error. @defaultValue none
   */
  notificationFd?: number;
  /** Process title, as `ps` shows it. @defaultValue unchanged */
  title?: string;
}
