/** What `daemonize` can be told, checked and completed. */
import { resolve } from 'node:path';
import { invalidArgType, invalidArgValue } from './errors';
import {
  validateArray,
  validateBoolean,
  validateFd,
  validateInteger,
  validateOneOf,
  validateOptions,
  validateString,
} from './validate';

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

/** Options of `daemonize`; each is optional. */
export interface DaemonizeOptions {
  /** File mode creation mask. 0 is APUE's; 0o027 is wiser. @defaultValue `0` */
  umask?: number;
  /** Working directory of the daemon. @defaultValue `'/'` */
  cwd?: string;
  /** What fd 0 reads. @defaultValue `'null'` */
  stdin?: string | number;
  /** Where fd 1, `process.stdout` and `console.log` write. @defaultValue `'null'` */
  stdout?: Target;
  /** Where fd 2, `process.stderr` and `console.error` write. @defaultValue `'null'` */
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
  /**
   * `'ignore'`: the kernel reaps the daemon's children. `node:child_process`
   * then never sees one exit. @defaultValue `'default'`
   */
  sigchld?: 'default' | 'ignore';
  /** Process title, as `ps` shows it. @defaultValue unchanged */
  title?: string;
}

/** {@link DaemonizeOptions} with every default filled in. */
export interface Settings {
  umask: number;
  cwd: string;
  targets: readonly [stdin: Target, stdout: Target, stderr: Target];
  preserveFds: readonly number[];
  closeFds: 'inherited' | 'none';
  sigchld: 'default' | 'ignore';
  title: string | undefined;
}

/** Every option that there is. */
export const optionNames: readonly (keyof DaemonizeOptions)[] = [
  'umask',
  'cwd',
  'stdin',
  'stdout',
  'stderr',
  'preserveFds',
  'closeFds',
  'sigchld',
  'title',
];

/**
 * Checks options and fills in the defaults; does nothing to the process.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: an option
 *   that does not exist, with the nearest that does
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 */
export function readOptions(options: DaemonizeOptions = {}): Settings {
  validateOptions(options, 'options', optionNames);
  const {
    umask = 0,
    cwd = '/',
    stdin = 'null',
    stdout = 'null',
    stderr = 'null',
    preserveFds = [],
    closeFds = 'inherited',
    sigchld = 'default',
    title,
  } = options;
  validateInteger(umask, 'options.umask', 0, 0o777);
  validatePath(cwd, 'options.cwd');
  validateInput(stdin, 'options.stdin');
  validateTarget(stdout, 'options.stdout');
  validateTarget(stderr, 'options.stderr');
  validateArray(preserveFds, 'options.preserveFds');
  for (const [index, fd] of preserveFds.entries())
    validateFd(fd, `options.preserveFds[${index}]`);
  validateOneOf(closeFds, 'options.closeFds', ['inherited', 'none']);
  validateOneOf(sigchld, 'options.sigchld', ['default', 'ignore']);
  if (title !== undefined) validateString(title, 'options.title');
  return {
    umask,
    cwd: resolve(cwd),
    targets: [stdin, stdout, stderr],
    preserveFds,
    closeFds,
    sigchld,
    title,
  };
}

function validatePath(path: unknown, name: string): void {
  validateString(path, name);
  if (path === '') throw invalidArgType(name, 'a path', path);
}

function validateInput(target: unknown, name: string): void {
  if (typeof target === 'number') validateFd(target, name);
  else if (typeof target === 'string') validatePath(target, name);
  else throw invalidArgType(name, 'of type string or number', target);
  if (target === 'syslog')
    throw invalidArgValue(name, target, "must be readable, 'syslog' is not");
}

function validateTarget(target: unknown, name: string): void {
  if (typeof target === 'number') return validateFd(target, name);
  if (typeof target === 'string') return validatePath(target, name);
  if (typeof target !== 'object' || target === null)
    throw invalidArgType(name, 'of type string, number or object', target);
  validateOptions(target, name, ['path', 'mode', 'mkdir']);
  const { path, mode, mkdir } = target as Partial<FileTarget>;
  validatePath(path, `${name}.path`);
  if (mode !== undefined) validateInteger(mode, `${name}.mode`, 0, 0o777);
  if (mkdir !== undefined) validateBoolean(mkdir, `${name}.mkdir`);
}
