/**
 * Every error that this package makes. Three kinds: the kernel said no
 * ({@link PosixError}), an argument is wrong (Node's own codes and wording),
 * and ours ({@link DaemonError}).
 */
import { constants } from 'node:os';
import { getSystemErrorMap, inspect } from 'node:util';

/** What libuv has no name for, and so Node neither. */
const beyondLibuv: Record<string, string> = {
  ECHILD: 'no child processes',
  EDEADLK: 'resource deadlock avoided',
  EIDRM: 'identifier removed',
  ELIBBAD: 'accessing a corrupted shared library',
  ENOEXEC: 'exec format error',
  ENOLCK: 'no locks available',
};

function describe(errno: number): [code: string, text: string] {
  const known = getSystemErrorMap().get(errno);
  if (known) return known;
  const code = Object.entries(constants.errno).find(
    ([, number]) => number === -errno,
  )?.[0];
  const unknown = `Unknown system error ${errno}`;
  return code ? [code, beyondLibuv[code] ?? unknown] : [unknown, unknown];
}

/**
 * A system call failed. Shaped as the errors of `node:fs`, so code that looks
 * at `error.code` need not tell them apart.
 */
export class PosixError extends Error {
  /** Negated errno, such as `-1` for `EPERM`. */
  declare readonly errno: number;
  /** Name of the errno, such as `'EPERM'`. */
  declare readonly code: string;
  /** Name of the call, such as `'setsid'`. */
  declare readonly syscall: string;
  /** The file it was about, if there was one. */
  declare readonly path?: string;
  /** The step of `daemonize` in which it happened, if it was there. */
  declare step?: string;

  constructor(errno: number, syscall: string, path?: string) {
    const [code, text] = describe(errno);
    super(
      `${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${path}'`}`,
    );
    Object.assign(
      this,
      { errno, code, syscall },
      path !== undefined && { path },
    );
  }
}
PosixError.prototype.name = 'PosixError';

/**
 * The gate that results of native calls pass: a negative one is an errno and
 * is thrown, any other is handed on.
 */
export function check(result: number, syscall: string, path?: string): number {
  if (result < 0) throw new PosixError(result, syscall, path);
  return result;
}

/** What each of our codes carries besides its message. */
export interface DaemonErrorDetails {
  ERR_DAEMON_ALREADY_DAEMON: object;
  ERR_DAEMON_ALREADY_RUNNING: { pid: number | undefined; path: string };
  ERR_DAEMON_IN_WORKER: object;
  ERR_DAEMON_NOT_PRIVILEGED: { option: string; wanted: string; lacks: string };
  ERR_DAEMON_PRIVILEGES_KEPT: {
    thread: string;
    tid: number;
    field: string;
    kept: string;
  };
  ERR_DAEMON_LOG_OUT_OF_ROOT: { path: string; root: string };
  ERR_DAEMON_NOT_READY: { pid: number; path: string };
  ERR_DAEMON_NOT_RUNNING: { path: string };
  ERR_DAEMON_PID_UNKNOWN: { path: string; reason: string };
  ERR_DAEMON_RELOAD_FAILED: { pid: number; path: string; reason: string };
  ERR_DAEMON_RELOAD_TIMEOUT: { pid: number; path: string };
  ERR_DAEMON_STOP_TIMEOUT: { pid: number; path: string };
  ERR_DAEMON_THREAD_NOT_STOPPED: { thread: string };
  ERR_DAEMON_UNSAFE_PIDFILE: { path: string; reason: string };
  ERR_DAEMON_UNSUPPORTED: { reason: string };
  ERR_DAEMON_BINDING_MISSING: {
    platform: string;
    arch: string;
    libc: string;
    paths: string[];
    command: string;
  };
}

/** A code of {@link DaemonError}; docs/errors.md has a section for each. */
export type DaemonErrorCode = keyof DaemonErrorDetails;

const messages: {
  readonly [Code in DaemonErrorCode]: (
    details: DaemonErrorDetails[Code],
  ) => string;
} = {
  ERR_DAEMON_ALREADY_DAEMON: () => 'this process is a daemon already',
  ERR_DAEMON_ALREADY_RUNNING: ({ pid, path }) =>
    pid === undefined
      ? `already running: another process holds the lock of '${path}'`
      : `already running with pid ${pid}, which holds '${path}'`,
  ERR_DAEMON_IN_WORKER: () =>
    'only the main thread can do this, a Worker cannot',
  ERR_DAEMON_NOT_PRIVILEGED: ({ option, wanted, lacks }) =>
    `'${option}' asks for ${wanted}, which this process may not take: ` + lacks,
  ERR_DAEMON_PRIVILEGES_KEPT: ({ thread, tid, field, kept }) =>
    `privileges were not given up: the thread '${thread}' (${tid}) ` +
    `has ${field} ${kept}`,
  ERR_DAEMON_LOG_OUT_OF_ROOT: ({ path, root }) =>
    `the log '${path}' cannot be reopened, it is outside of the root '${root}'`,
  ERR_DAEMON_NOT_READY: ({ pid, path }) =>
    `process ${pid} of '${path}' ended before it was ready again`,
  ERR_DAEMON_NOT_RUNNING: ({ path }) => `not running: nobody holds '${path}'`,
  ERR_DAEMON_PID_UNKNOWN: ({ path, reason }) =>
    `it is not known who holds '${path}': ${reason}`,
  ERR_DAEMON_RELOAD_FAILED: ({ pid, path, reason }) =>
    `process ${pid} of '${path}' goes on as before: ${reason}`,
  ERR_DAEMON_RELOAD_TIMEOUT: ({ pid, path }) =>
    `process ${pid} of '${path}' was told to reload, and is not ready yet`,
  ERR_DAEMON_STOP_TIMEOUT: ({ pid, path }) =>
    `process ${pid} of '${path}' was told to end, and has not yet`,
  ERR_DAEMON_THREAD_NOT_STOPPED: ({ thread }) =>
    `the thread '${thread}' could not be stopped for the fork`,
  ERR_DAEMON_UNSAFE_PIDFILE: ({ path, reason }) =>
    `'${path}' cannot be the PID file: it ${reason}`,
  ERR_DAEMON_UNSUPPORTED: ({ reason }) => reason,
  ERR_DAEMON_BINDING_MISSING: ({ platform, arch, libc, paths, command }) =>
    `posix-daemonize has no binary for ${platform} ${arch} ${libc}. Looked at:\n` +
    paths.map((path) => `  ${path}\n`).join('') +
    `To build it: ${command}`,
};

/** Each code that a {@link DaemonError} can have. */
export const daemonErrorCodes = Object.keys(
  messages,
) as readonly DaemonErrorCode[];

/** What the launching process prints; see native/forkall/launcher.cc. */
export const launcherErrorCodes = ['ERR_DAEMON_READY_TIMEOUT'] as const;

/** Something that this package, not the kernel, has to say. */
export class DaemonError<
  Code extends DaemonErrorCode = DaemonErrorCode,
> extends Error {
  declare readonly code: Code;
  /** The process it is about, where it is known. */
  declare readonly pid?: number;
  /** The file it is about. */
  declare readonly path?: string;
  /** Name of the thread it is about. */
  declare readonly thread?: string;
  /** The step of `daemonize` in which it happened, if it was there. */
  declare step?: string;

  constructor(
    code: Code,
    details: DaemonErrorDetails[Code],
    options?: ErrorOptions,
  ) {
    super(messages[code](details), options);
    Object.assign(this, { code }, details);
  }
}
DaemonError.prototype.name = 'DaemonError';

/** `'fd'` is an argument, `'options.except'` a property, as Node has it. */
const kind = (name: string): string =>
  name.includes('.') ? 'property' : 'argument';

function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const { constructor } = value as { constructor?: { name: string } };
    const name = constructor?.name;
    return `Received ${name ? `an instance of ${name}` : inspect(value, { depth: -1 })}`;
  }
  return `Received type ${typeof value} (${quote(value)})`;
}

function quote(value: unknown): string {
  if (typeof value !== 'string') return cut(inspect(value));
  const text = cut(value);
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

const cut = (text: string): string =>
  text.length > 28 ? `${text.slice(0, 25)}...` : text;

/** @param expected such as `'of type string'` or `'an instance of Array'` */
export function invalidArgType(
  name: string,
  expected: string,
  value: unknown,
): TypeError {
  const message = `The "${name}" ${kind(name)} must be ${expected}. ${received(value)}`;
  return Object.assign(new TypeError(message), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
}

/** @param reason such as `"must be one of: 'a', 'b'"` */
export function invalidArgValue(
  name: string,
  value: unknown,
  reason = 'is invalid',
): TypeError {
  let text = inspect(value);
  if (text.length > 128) text = `${text.slice(0, 128)}...`;
  const end = reason.endsWith('?') ? '' : '.';
  const message = `The ${kind(name)} '${name}' ${reason}${end} Received ${text}`;
  return Object.assign(new TypeError(message), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
}

/** @param range such as `'an integer'` or `'>= 0 && <= 511'` */
export function outOfRange(
  name: string,
  range: string,
  value: unknown,
): RangeError {
  const message =
    `The value of "${name}" is out of range. It must be ${range}. ` +
    `Received ${inspect(value, { numericSeparator: Math.abs(Number(value)) > 2 ** 32 })}`;
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}
