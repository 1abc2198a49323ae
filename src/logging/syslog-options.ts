/** Options of `createSyslogStream`, checked and completed. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { parse, resolve } from 'node:path';
import {
  facilities,
  type Facility,
  priorities,
  type Priority,
} from '../constants';
import { invalidArgValue, PosixError } from '../errors';
import type { LogQueueOptions } from '../posix/log-queue';
import {
  longestIdent,
  validateBoolean,
  validateIdent,
  validateInteger,
  validateOneOf,
  validateOptions,
  validateString,
} from '../validate';

/** How `createSyslogStream` logs. */
export interface SyslogStreamOptions {
  /** Stands before each message. @defaultValue the script's name */
  ident?: string;
  /** The kind of program. @defaultValue `'daemon'` */
  facility?: Facility;
  /** Of what is written; `send()` has its own. @defaultValue `'info'` */
  priority?: Priority;
  /** Whether the pid stands behind the ident. @defaultValue `true` */
  pid?: boolean;
  /** Where the log daemon listens: a path. @defaultValue `'/dev/log'` */
  path?: string;
  /**
   * The most memory that waiting messages may take, in bytes, with some 100
   * bytes for each. Beyond it the least urgent are dropped, the oldest of them
   * first. @defaultValue `4194304`, 4 MiB
   */
  maxQueueBytes?: number;
  /**
   * The longest text of one entry, in bytes, less the marks of a cut (6); a
   * longer one is cut into several. busybox's syslogd takes 1000 with ident and
   * pid: 900 is safe. @defaultValue `8000`, what rsyslog takes
   */
  maxLength?: number;
  /** How long the end of the process, or of the stream, waits, in ms. @defaultValue `1000` */
  flushTimeout?: number;
  /**
   * A file, made with mode 0640, for messages that cannot be sent: while there
   * is no log daemon, when they would be dropped, and at the end of the process.
   * No symbolic link. @defaultValue none
   */
  fallback?: string;
  /** How long the log daemon is waited for before that, in ms. @defaultValue `1000` */
  fallbackAfter?: number;
}

/** What a path of a socket has room for, less its NUL. */
const longestPath = 107;
const int32 = 0x7fffffff;

/** What each option has to be. */
export const syslogStreamChecks: Readonly<
  Record<keyof SyslogStreamOptions, (value: unknown, name: string) => void>
> = {
  ident: validateName,
  facility: (value, name) =>
    validateOneOf(value, name, Object.keys(facilities)),
  priority: validatePriority,
  pid: validateBoolean,
  path: validatePath,
  maxQueueBytes: (value, name) => validateInteger(value, name, 0x1000),
  maxLength: (value, name) => validateInteger(value, name, 80, 0x100000),
  flushTimeout: (value, name) => validateInteger(value, name, 0, int32),
  fallback: validatePath,
  fallbackAfter: (value, name) => validateInteger(value, name, 0, int32),
};

/** Every option that there is. */
export const syslogStreamOptionNames = Object.keys(
  syslogStreamChecks,
) as (keyof SyslogStreamOptions)[];

export function validatePriority(
  value: unknown,
  name: string,
): asserts value is Priority {
  validateOneOf(value, name, Object.keys(priorities));
}

/** Without one, who reads the log takes the first word for it. */
function validateName(value: unknown, name: string): void {
  validateIdent(value, name);
  if (value === '') throw invalidArgValue(name, value, 'must not be empty');
}

function validatePath(value: unknown, name: string): void {
  validateString(value, name);
  if (value === '') throw invalidArgValue(name, value, 'must be a path');
}

/**
 * Checks options and fills in the defaults; opens the fallback file.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {PosixError} the fallback file cannot be opened
 */
export function readSyslogStreamOptions(
  options: SyslogStreamOptions = {},
): LogQueueOptions {
  validateOptions(options, 'options', syslogStreamOptionNames);
  for (const name of syslogStreamOptionNames)
    if (options[name] !== undefined)
      syslogStreamChecks[name](options[name], `options.${name}`);
  const path = resolve(options.path ?? '/dev/log');
  if (Buffer.byteLength(path) > longestPath)
    throw invalidArgValue(
      'options.path',
      path,
      `must have at most ${longestPath} bytes`,
    );
  return {
    path,
    ident: options.ident ?? identOf(),
    facility: options.facility ?? 'daemon',
    priority: options.priority ?? 'info',
    pid: options.pid ?? true,
    maxQueueBytes: options.maxQueueBytes ?? 4 << 20,
    maxLength: options.maxLength ?? 8000,
    flushTimeout: options.flushTimeout ?? 1000,
    fallback:
      options.fallback === undefined ? -1 : openFallback(options.fallback),
    fallbackAfter: options.fallbackAfter ?? 1000,
  };
}

// Not one that waits for a reader, as a FIFO does.
function openFallback(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NOCTTY, O_NONBLOCK } =
    constants;
  const flags =
    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  try {
    const fd = openSync(path, flags, 0o640);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    throw new PosixError((error as { errno: number }).errno, 'open', path);
  }
  throw invalidArgValue('options.fallback', path, 'must be a regular file');
}

/** The name of a program in the system log, if nothing else is said. */
export function identOf(title?: string): string {
  const script = parse(process.argv[1] ?? process.execPath).name;
  const name = title === undefined || title === '' ? script : title;
  const characters = Array.from(name.replace(/\p{Cc}/gu, '?'));
  const ident = characters.slice(0, longestIdent);
  while (Buffer.byteLength(ident.join('')) > longestIdent) ident.pop();
  return ident.join('');
}
