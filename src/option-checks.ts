/** What each option of `daemonize` may be. */
import {
  arrayOf,
  type Check,
  idOrName,
  integer,
  objectOf,
  oneOf,
  path,
} from './checks';
import { priorities, syslogOptions } from './constants';
import { invalidArgType, invalidArgValue } from './errors';
import { syslogStreamChecks } from './logging/syslog-options';
import type { DaemonizeOptions } from './options';
import { listInherited } from './posix/descriptors';
import { writableByOthers } from './safe-file';
import {
  validateBoolean,
  validateFd,
  validateOneOf,
  validateOptions,
  validateString,
  validateTime,
} from './validate';

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
  if ((value as number) & writableByOthers)
    throw invalidArgValue(name, value, 'must not let group or others write');
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
  syslog: (value, name) => {
    if (typeof value === 'boolean') return;
    if (typeof value !== 'object' || value === null)
      throw invalidArgType(name, 'of type boolean or object', value);
    objectOf(syslogParts)(value, name);
  },
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

/** @throws {TypeError | RangeError} those of `daemonize`, for the first wrong one */
export function checkOptions(options: DaemonizeOptions): void {
  validateOptions(options, 'options', optionNames);
  for (const name of optionNames)
    if (options[name] !== undefined)
      checks[name](options[name], `options.${name}`);
}
