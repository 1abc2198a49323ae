/** Options of `daemonize`, completed by the defaults. */
import { resolve } from 'node:path';
import type { Facility, SyslogOption } from './constants';
import { identOf, type SyslogStreamOptions } from './logging/syslog-options';
import { checkOptions } from './option-checks';
import type { DaemonizeOptions, PidfileTarget, Target } from './options';
import type { LogMask } from './posix/syslog';
import type { PrivilegeOptions } from './privileges';
import type { Surroundings } from './surroundings';

/** What the options come to, in the surroundings given. */
export interface Settings {
  umask: number;
  cwd: string;
  chroot: string | undefined;
  targets: readonly [stdin: Target, stdout: Target, stderr: Target];
  preserveFds: readonly number[];
  closeFds: 'inherited' | 'none';
  pidfile: Required<PidfileTarget> | undefined;
  syslog: LogSettings | undefined;
  privileges: PrivilegeOptions;
  coreDumps: boolean;
  env: 'keep' | readonly string[];
  sighup: 'default' | 'ignore' | 'reopen' | (() => void);
  sigchld: 'default' | 'ignore';
  sigterm: 'default' | 'exit' | (() => void);
  onStop: (() => unknown) | undefined;
  stopTimeout: number;
  surroundings: Surroundings;
  detach: boolean;
  ready: 'now' | 'manual';
  readyTimeout: number;
  notificationFd: number | undefined;
  title: string | undefined;
}

export interface LogSettings {
  /** Of what the daemon sends itself. */
  stream: SyslogStreamOptions & { ident: string; facility: Facility };
  /** Of `openlog`. */
  options: readonly SyslogOption[];
  mask: LogMask | undefined;
}

/**
 * Checks options and fills in the defaults; does nothing to the process.
 * @param surroundings who launched this process
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: an option
 *   that does not exist, with the nearest that does
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 */
export function readOptions(
  options: DaemonizeOptions = {},
  surroundings: Surroundings,
): Settings {
  checkOptions(options);

  const { detach: wish = 'auto', chroot, cwd = '/' } = options;
  const { user, group, groups, initgroups } = options;
  const detach = wish === 'auto' ? surroundings.detach : wish;
  // The client of an inetd's service is at the other end of all three.
  const serves = surroundings.launcher === 'inetd' && !detach;
  const elsewhere = detach ? 'null' : 'inherit';
  const syslog = completeSyslog(options);
  const output = detach && syslog ? 'syslog' : elsewhere;
  return {
    umask: options.umask ?? 0,
    cwd: chroot === undefined ? resolve(cwd) : resolve('/', cwd),
    chroot: chroot === undefined ? undefined : resolve(chroot),
    targets: [
      serves ? 'inherit' : (options.stdin ?? elsewhere),
      serves ? 'inherit' : (options.stdout ?? output),
      options.stderr ?? output,
    ],
    preserveFds: options.preserveFds ?? [],
    closeFds: options.closeFds ?? (serves ? 'none' : 'inherited'),
    pidfile: completePidfile(options.pidfile),
    syslog,
    privileges: { user, group, groups, initgroups } as PrivilegeOptions,
    coreDumps: options.coreDumps ?? true,
    env: options.env ?? 'keep',
    sighup: options.sighup ?? 'default',
    sigchld: options.sigchld ?? 'default',
    sigterm: options.sigterm ?? 'exit',
    onStop: options.onStop,
    stopTimeout: options.stopTimeout ?? 10_000,
    surroundings,
    detach,
    ready: options.ready ?? 'now',
    readyTimeout: options.readyTimeout ?? 60_000,
    notificationFd: options.notificationFd,
    title: options.title,
  };
}

function completePidfile(
  pidfile: DaemonizeOptions['pidfile'],
): Settings['pidfile'] {
  if (pidfile === undefined) return undefined;
  const {
    path,
    mode = 0o644,
    mkdir = false,
  } = typeof pidfile === 'string' ? { path: pidfile } : pidfile;
  return { path: resolve(path), mode, mkdir };
}

function completeSyslog(options: DaemonizeOptions): LogSettings | undefined {
  const { syslog = false, title } = options;
  if (syslog === false) return undefined;
  const {
    ident = identOf(title),
    facility = 'daemon',
    options: flags = ['pid'],
    mask,
    ...others
  } = syslog === true ? {} : syslog;
  const pid = flags.includes('pid');
  const stream = { ...others, ident, facility, pid };
  return { stream, options: flags, mask };
}
