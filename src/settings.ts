/** Options of `daemonize`, checked and completed. */
import { resolve } from 'node:path';
import {
  arrayOf,
  type Check,
  idOrName,
  integer,
  objectOf,
  oneOf,
  path,
} from './checks';
import {
  type Facility,
  priorities,
  type SyslogOption,
  syslogOptions,
} from './constants';
import { invalidArgType, invalidArgValue } from './errors';
import {
  identOf,
  syslogStreamChecks,
  type SyslogStreamOptions,
} from './logging/syslog-options';
import type { DaemonizeOptions, PidfileTarget, Target } from './options';
import { listInherited } from './posix/descriptors';
import type { LogMask } from './posix/syslog';
import type { PrivilegeOptions } from './privileges';
import type { Surroundings } from './surroundings';
import {
  validateBoolean,
  validateFd,
  validateOneOf,
  validateOptions,
  validateString,
  validateTime,
} from './validate';

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

const functionOr =
  (...words: readonly string[]): Check =>
  (value, name) => {
    if (typeof value === 'function') return;
    if (words.length === 0 || typeof value !== 'string')
      throw invalidArgType(name, 'of type function', value);
    validateOneOf(value, name, words);
  };

const input: Check = (value, name) => {
  if (typeof value === 'number') validateFd(value, name);
  else if (typeof value === 'string') path(value, name);
  else throw invalidArgType(name, 'of type string or number', value);
  if (value === 'syslog')
    throw invalidArgValue(name, value, "must be readable, 'syslog' is not");
};

/** Node's own are among the others: a newline there could do anything. */
const passedFd: Check = (value, name) => {
  validateFd(value, name);
  if (value > 2 && !listInherited().includes(value)) {
    const reason =
      'must be a descriptor that the supervisor passed to this process';
    throw invalidArgValue(name, value, reason);
  }
};

const mode = integer(0, 0o777);

const logMask: Check = (value, name) => {
  const priority = oneOf(...Object.keys(priorities));
  if (Array.isArray(value)) arrayOf(priority)(value, name);
  else objectOf({ upTo: priority }, 'upTo')(value, name);
};

const fileParts = { path, mode, mkdir: validateBoolean };

/** Who writes to it chooses the process that is stopped by it. */
const pidfileMode: Check = (value, name) => {
  mode(value, name);
  if ((value as number) & 0o002)
    throw invalidArgValue(name, value, 'must not let everybody write');
};

const output: Check = (value, name) => {
  if (typeof value === 'number') validateFd(value, name);
  else if (typeof value === 'string') path(value, name);
  else if (typeof value === 'object' && value !== null)
    objectOf(fileParts, 'path')(value, name);
  else throw invalidArgType(name, 'of type string, number or object', value);
};

const { ident, facility, maxQueueBytes, maxLength } = syslogStreamChecks;
const { flushTimeout, fallback, fallbackAfter } = syslogStreamChecks;

const syslogParts = {
  ident,
  facility,
  maxQueueBytes,
  maxLength,
  flushTimeout,
  fallback,
  fallbackAfter,
  options: arrayOf(oneOf(...Object.keys(syslogOptions))),
  mask: logMask,
};

const checks: Readonly<Record<keyof DaemonizeOptions, Check>> = {
  umask: mode,
  cwd: path,
  chroot: path,
  stdin: input,
  stdout: output,
  stderr: output,
  preserveFds: arrayOf(validateFd),
  closeFds: oneOf('inherited', 'none'),
  pidfile: (value, name) =>
    typeof value === 'string'
      ? path(value, name)
      : objectOf({ ...fileParts, mode: pidfileMode }, 'path')(value, name),
  syslog: (value, name) =>
    typeof value === 'boolean' || objectOf(syslogParts)(value, name),
  user: idOrName,
  group: idOrName,
  groups: arrayOf(idOrName),
  initgroups: validateBoolean,
  coreDumps: validateBoolean,
  env: (value, name) =>
    value === 'keep' || arrayOf(validateString)(value, name),
  sighup: functionOr('default', 'ignore', 'reopen'),
  sigchld: oneOf('default', 'ignore'),
  sigterm: functionOr('default', 'exit'),
  onStop: functionOr(),
  stopTimeout: validateTime,
  detach: oneOf(true, false, 'auto'),
  ready: oneOf('now', 'manual'),
  readyTimeout: validateTime,
  notificationFd: passedFd,
  title: validateString,
};

/** Every option that there is. */
export const optionNames = Object.keys(checks) as (keyof DaemonizeOptions)[];

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
  validateOptions(options, 'options', optionNames);
  for (const name of optionNames)
    if (options[name] !== undefined)
      checks[name](options[name], `options.${name}`);

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
