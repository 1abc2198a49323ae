/** What `Daemon` can be told, checked and completed. */
import { join, resolve } from 'node:path';
import type { DaemonContext } from './context';
import { invalidArgValue } from './errors';
import { identOf } from './logging/syslog-options';
import { optionNames } from './option-checks';
import type { DaemonizeOptions, PidfileTarget } from './options';
import { validateFunction, validateOptions, validateString } from './validate';

/** What the daemon does, at the moments that there are. */
export interface DaemonHooks<Args extends unknown[]> {
  /** What the daemon does, see `Daemon.run`. */
  run?: (context: DaemonContext, ...args: Args) => unknown;
  /** Whether it could, see `Daemon.check`. */
  check?: (...args: Args) => unknown;
  /** What SIGHUP does, see `Daemon.onReload`. */
  onReload?: (context: DaemonContext) => unknown;
}

/** Options of `Daemon`; those of `daemonize` besides. */
export interface DaemonOptions<Args extends unknown[] = unknown[]>
  extends DaemonizeOptions, DaemonHooks<Args> {
  /**
   * Its name: the default of `title`, of `syslog.ident` (as much of it as that may
   * have), and of the PID file's place.
   */
  name: string;
  /**
   * @defaultValue `/run/NAME.pid` for root, for others `NAME.pid` in the directory
   *   that the environment names as `XDG_RUNTIME_DIR`
   */
  pidfile?: string | PidfileTarget;
  /**
   * When it is ready. `'now'`: when `run` has returned, which it does at its first
   * `await`. `'manual'`: when it calls `context.ready()`. @defaultValue `'now'`
   */
  ready?: 'now' | 'manual';
}

const hookNames = ['run', 'check', 'onReload'] as const;

/** @returns the hooks apart from what is for `daemonize` */
export function readDaemonOptions<Args extends unknown[]>(
  options: DaemonOptions<Args>,
): {
  name: string;
  path: string;
  hooks: DaemonHooks<Args>;
  settings: DaemonizeOptions;
} {
  validateOptions(options, 'options', ['name', ...hookNames, ...optionNames]);
  const { name, run, check, onReload, ...settings } = options;
  validateName(name);
  const hooks = { run, check, onReload };
  for (const hook of hookNames)
    if (hooks[hook] !== undefined)
      validateFunction(hooks[hook], `options.${hook}`);
  const { pidfile = defaultPidfile(name), syslog, title = name } = settings;
  const target = typeof pidfile === 'string' ? { path: pidfile } : pidfile;
  validateOptions(target, 'options.pidfile', ['path', 'mode', 'mkdir']);
  validateString(target.path, 'options.pidfile.path');
  const path = resolve(target.path);
  const ident = identOf(name);
  return {
    name,
    path,
    hooks: hooks as DaemonHooks<Args>,
    settings: {
      ...settings,
      title,
      pidfile: { ...target, path },
      ...(typeof syslog === 'object' && { syslog: { ident, ...syslog } }),
      ...(syslog === true && { syslog: { ident } }),
    },
  };
}

function validateName(name: unknown): asserts name is string {
  validateString(name, 'options.name');
  if (/^\.{0,2}$|\//.test(name)) {
    const reason = 'must be the name of a file, without a directory';
    throw invalidArgValue('options.name', name, reason);
  }
}

function defaultPidfile(name: string): string {
  const { XDG_RUNTIME_DIR: own } = process.env;
  const folder = process.geteuid!() === 0 ? '/run' : own;
  if (folder) return join(folder, `${name}.pid`);
  const reason =
    'must be given, since the user is not root and XDG_RUNTIME_DIR is not set';
  throw invalidArgValue('options.pidfile', undefined, reason);
}
