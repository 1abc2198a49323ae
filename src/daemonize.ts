/**
 * The plot: what turns this process into a daemon, step by step.
 *
 * An error before the fork is thrown, with the process as it was. One after it
 * goes to the launching terminal, and both processes leave with 1; without a
 * fork it is thrown.
 */
import type { DaemonContext } from './context';
import { DaemonError } from './errors';
import type { DaemonizeOptions } from './options';
import { assertForkable } from './posix/fork';
import { _exit } from './posix/process';
import { readOptions, type Settings } from './settings';
import { Run, type Step } from './step';
import { runOrUndo, runStep, undo } from './step-runner';
import { stepsFor } from './steps';
import { detectSurroundings } from './surroundings';

/** A row of the table that {@link explain} gives. */
export interface Explanation {
  /** Name of the step; `error.step` of what fails in it. */
  name: string;
  /** What is done to the process, with the options given. */
  does: string;
  /** Where it comes from. */
  source: string;
}

let isDaemon = false;

/**
 * Turns the running process into a daemon, literally as APUE figure 13.1 with
 * the second fork, and returns in the daemon only. The launching process leaves
 * with status 0 once every step is done, and never comes back from the call;
 * with `ready: 'manual'` it waits for `context.ready()`, and gives the daemon's
 * own status when that ends before.
 *
 * Nothing is started again: variables, open sockets, promises in flight, work
 * in libuv's pool and Workers go on, in a process with another pid.
 *
 * Started by systemd, inetd, as the first process of a container or by a
 * supervisor, the process stays where it is and does the rest; `detach` decides
 * otherwise.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {DaemonError} `ERR_DAEMON_ALREADY_DAEMON` called twice;
 *   `ERR_DAEMON_ALREADY_RUNNING` another process holds the PID file;
 *   `ERR_DAEMON_IN_WORKER`, `ERR_DAEMON_THREAD_NOT_STOPPED`,
 *   `ERR_DAEMON_UNSUPPORTED` as for `fork`
 * @throws {PosixError} with `step`: a file cannot be opened, the directory cannot
 *   be entered, `EAGAIN` or `ENOMEM` from fork. After any error the process is
 *   as before and may try again. What fails in the daemon is printed by the
 *   launching process, which then leaves with 1; the daemon ends.
 * @see APUE (Stevens, Rago), section 13.3; daemon(7) "SysV daemons"; PEP 3143
 */
export function daemonize(options?: DaemonizeOptions): DaemonContext {
  const settings = prepare(options);
  const run = new Run(settings);
  const { before, after } = stepsFor(settings);
  if (settings.detach) {
    runOrUndo(run, before);
    isDaemon = true;
    runOrLeave(run, after);
  } else {
    runOrUndo(run, [...before, ...after]);
    isDaemon = true;
  }
  return run.context!;
}

/**
 * Tries what can go wrong before the fork, but for the PID file, which another
 * daemon may hold: the options, users, directories and log files, which are made
 * where they are missing. The process is as before afterwards.
 * @throws as {@link daemonize} before the fork
 * @internal
 */
export function rehearse(options?: DaemonizeOptions): void {
  const settings = prepare(options);
  const run = new Run(settings);
  const { before } = stepsFor(settings);
  const table = before.filter(({ rehearsed }) => rehearsed);
  runOrUndo(run, table);
  undo(run, table);
}

/** @throws where this process cannot become a daemon */
function prepare(options?: DaemonizeOptions): Settings {
  const settings = readOptions(options, detectSurroundings());
  if (isDaemon) throw new DaemonError('ERR_DAEMON_ALREADY_DAEMON', {});
  assertForkable();
  return settings;
}

/**
 * What {@link daemonize} would do with these options, here and now, in order.
 * Nothing is done.
 * @throws as `daemonize` for wrong options
 */
export function explain(options?: DaemonizeOptions): Explanation[] {
  const settings = readOptions(options, detectSurroundings());
  const { before, after } = stepsFor(settings);
  return [...before, ...after].map(({ name, source, does }) => ({
    name,
    does: does(settings),
    source,
  }));
}

function runOrLeave(run: Run, table: readonly Step[]): void {
  for (const step of table) {
    try {
      runStep(run, step);
    } catch (error) {
      const { message } = error as Error;
      removePidfile(run);
      run.launcher.fail(
        `posix-daemonize: step '${step.name}': ${message}\n`,
        1,
      );
      _exit(1);
    }
  }
}

/** What comes next matters more than a file that is left, empty and free. */
function removePidfile({ pidfile }: Run): void {
  try {
    pidfile?.remove();
  } catch {
    // The user that the daemon has become may not write in the directory.
  }
}
