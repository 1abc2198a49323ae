/** A daemon as an object: what it does, and the commands that control it. */
import type { DaemonContext } from './context';
import {
  type DaemonStatus,
  reloadDaemon,
  type ReloadOptions,
  statusOf,
  stopDaemon,
  type StopOptions,
} from './control';
import {
  type DaemonHooks,
  type DaemonOptions,
  readDaemonOptions,
} from './daemon-options';
import { daemonize, rehearse } from './daemonize';
import { DaemonError, invalidArgType, invalidArgValue } from './errors';
import type { DaemonizeOptions } from './options';
import { Pidfile } from './pidfile';
import { validateOneOf } from './validate';

/** How long after the daemon's own time to stop its end may come, in ms. */
const stopMargin = 5000;

/**
 * A daemon, by an object that has `run` or a subclass that overrides it. `start`
 * and `restart` make a daemon of this process; `stop`, `reload` and `status` may
 * be called in any process, with the same `name` or `pidfile`.
 */
export class Daemon<Args extends unknown[] = unknown[]> {
  readonly name: string;
  /** Path of the PID file, absolute. */
  readonly pidfile: string;
  readonly #hooks: DaemonHooks<Args>;
  readonly #settings: DaemonizeOptions;

  /**
   * Does nothing to the process. What is for `daemonize` is checked by `start`.
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the name
   *   is no file name, an option does not exist, or there is no place for the PID
   *   file: the user is not root, and `XDG_RUNTIME_DIR` is not set
   */
  constructor(options: DaemonOptions<Args>) {
    const { name, path, hooks, settings } = readDaemonOptions(options);
    this.name = name;
    this.pidfile = path;
    this.#hooks = hooks;
    this.#settings = settings;
  }

  /**
   * What the daemon does, once it is one. Where it throws, or rejects before it is
   * ready, the start has failed: the message goes to the launching terminal. It
   * may be async, and may return while servers and timers go on.
   */
  run(context: DaemonContext, ...args: Args): unknown {
    return this.#hooks.run?.(context, ...args);
  }

  /**
   * Called in the launching process before a start, and before a restart ends the
   * old daemon: throws or rejects where the new one could not work, as with a
   * wrong configuration. May be async; then nothing may go on when it is done but
   * what the daemon is to have.
   */
  check(...args: Args): unknown {
    return this.#hooks.check?.(...args);
  }

  /**
   * What SIGHUP does in the daemon, in place of the option `sighup`: reads the
   * configuration again. `context.ready()` is called after it. Where it throws or
   * rejects, the daemon goes on as before, and {@link reload} fails with the
   * message.
   */
  onReload(context: DaemonContext): unknown {
    return this.#hooks.onReload?.(context);
  }

  /**
   * Makes a daemon of this process, by `daemonize`, and calls {@link run} there.
   * The launching process never comes back from it, unless with an error: it ends
   * with 0 once the daemon is ready, and otherwise as the daemon did.
   * @returns what `run` gave, in the daemon
   * @throws {DaemonError} `ERR_DAEMON_ALREADY_RUNNING` (`pid`), before anything is
   *   done. And what `check` and `daemonize` throw: the process is as before. In
   *   the daemon, once it is ready: what `run` throws
   */
  async start(...args: Args): Promise<unknown> {
    const settings = this.#complete();
    const path = this.pidfile;
    const pid = Pidfile.holder(path);
    if (typeof pid === 'number')
      throw new DaemonError('ERR_DAEMON_ALREADY_RUNNING', { pid, path });
    const checked = this.check(...args);
    // Without a check of that kind the caller is a daemon when this returns.
    if (isThenable(checked)) await checked;
    return this.#launch(settings, args);
  }

  /**
   * Ends the daemon and waits for that, by default 10 s, and 5 s longer than it may
   * take itself where it has `onStop`.
   * @returns the pid that it had
   * @throws {DaemonError} `ERR_DAEMON_NOT_RUNNING`; `ERR_DAEMON_STOP_TIMEOUT`
   *   (`pid`): it has not ended, and goes on; `ERR_DAEMON_PID_UNKNOWN` it has not
   *   written its pid within 2 s; `ERR_DAEMON_UNSAFE_PIDFILE`;
   *   `ERR_DAEMON_UNSUPPORTED` Linux before 5.3
   * @throws {PosixError} `EPERM` it belongs to another user; `EACCES` the PID file
   *   may not be read
   */
  async stop(options?: StopOptions): Promise<number> {
    const { onStop, stopTimeout = 10_000 } = this.#settings;
    const patience = onStop && { timeout: stopTimeout + stopMargin };
    return stopDaemon(this.pidfile, { ...patience, ...options });
  }

  /**
   * Ends the daemon, if there is one, and starts it, as {@link stop} and
   * {@link start}. What can be known before is tried first, with the old daemon
   * still running: options, users, directories, log files and {@link check}.
   * @returns as `start`
   * @throws as `start` and `stop`; while the old daemon goes on untouched where the
   *   trial fails
   */
  async restart(...args: Args): Promise<unknown> {
    const settings = this.#complete();
    rehearse(settings);
    await this.check(...args);
    try {
      await this.stop();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ERR_DAEMON_NOT_RUNNING') throw error;
    }
    return this.#launch(settings, args);
  }

  /**
   * Sends SIGHUP to the daemon, and waits for the end of a reload that began
   * after this call: what was changed before has been read, also where another one
   * was under way. One that has no `onReload`, and calls `context.ready()` without
   * `context.reload()`, is waited for until it does so first.
   * @returns its pid
   * @throws {DaemonError} `ERR_DAEMON_RELOAD_FAILED` (`reason`) it goes on as before;
   *   `ERR_DAEMON_RELOAD_TIMEOUT` it is not ready yet; `ERR_DAEMON_NOT_READY` it ended
   *   meanwhile, all with `pid`; `ERR_DAEMON_UNSUPPORTED` SIGHUP would end it;
   *   and as {@link stop}
   * @throws {PosixError} as {@link stop}
   */
  async reload(options?: ReloadOptions): Promise<number> {
    return reloadDaemon(this.pidfile, options);
  }

  /**
   * How the daemon is. Sends no signal.
   * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE`
   */
  status(): DaemonStatus {
    return statusOf(this.pidfile);
  }

  /** @throws {TypeError} something is missing that a daemon has to have */
  #complete(): DaemonizeOptions {
    const { run, onReload } = this.#hooks;
    if (!run && !this.#overrides('run'))
      throw invalidArgType('options.run', 'of type function', run);
    const { sighup, ready = 'now' } = this.#settings;
    // What daemonize() is told is always 'manual'.
    validateOneOf(ready, 'options.ready', ['now', 'manual']);
    if (!onReload && !this.#overrides('onReload')) return this.#settings;
    if (sighup === undefined) return this.#settings;
    throw invalidArgValue('options.sighup', sighup, 'excludes onReload');
  }

  #overrides(hook: 'run' | 'onReload'): boolean {
    return (this[hook] as unknown) !== Daemon.prototype[hook];
  }

  async #launch(settings: DaemonizeOptions, args: Args): Promise<unknown> {
    const { ready = 'now' } = settings;
    const reloads = this.#hooks.onReload ?? this.#overrides('onReload');
    const sighup = (): void => {
      void context.reload(() => this.onReload(context));
    };
    const context = daemonize({
      ...settings,
      ready: 'manual',
      ...(reloads && { sighup }),
    });
    try {
      const result = this.run(context, ...args);
      // One that has rejected before its first await has failed already.
      if (isThenable(result)) await Promise.race([result, Promise.resolve()]);
      if (ready === 'now') context.ready();
      return await result;
    } catch (error) {
      if (context.isReady) throw error;
      context.fail(error);
    }
  }
}

const isThenable = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
