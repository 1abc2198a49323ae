/**
 * The plot: what turns this process into a daemon, step by step.
 *
 * Steps before the fork happen in the launching process; each that changes
 * something returns how to undo it, and an error there is thrown with the
 * process as it was. Steps after it happen in the daemon; an error there goes
 * to the launching terminal, and the launching process leaves with 1.
 */
import { statSync } from 'node:fs';
import { DaemonError, PosixError } from './errors';
import {
  type DaemonizeOptions,
  readOptions,
  type Settings,
  type Target,
} from './options';
import { close, listInherited } from './posix/descriptors';
import { setAside } from './posix/dispositions';
import { assertForkable, detach } from './posix/fork';
import { _exit, chdir, umask } from './posix/process';
import { signal } from './posix/signals';
import { Launcher } from './readiness';
import { StandardStreams } from './stdio';

/** A row of the table that {@link explain} gives. */
export interface Explanation {
  /** Name of the step; `error.step` of what fails in it. */
  name: string;
  /** What is done to the process, with the options given. */
  does: string;
  /** Where it comes from. */
  source: string;
}

/** What `daemonize` returns, in the daemon. */
export interface DaemonContext {
  /** The daemon's pid. */
  readonly pid: number;
  /** Whether the process left its terminal and session: always. */
  readonly detached: boolean;
  /**
   * Opens the files of stdout and stderr anew, by their paths: for logrotate.
   * What is written meanwhile is in the old file or the new one, whole and once.
   * Other targets are left alone, and so is a file that cannot be opened: the
   * stream goes on with the old one.
   * @throws {PosixError} of the file that cannot be opened, with its `path`;
   *   AggregateError where stdout and stderr both have one
   * @throws {DaemonError} `ERR_DAEMON_LOG_OUT_OF_ROOT` a chroot left it outside
   */
  reopenLogs(): void;
}

/** One daemonization under way. */
class Run {
  readonly settings: Settings;
  readonly streams: StandardStreams;
  readonly launchingPid = process.pid;
  oldUmask = 0;
  channel = -1;
  giveBackSighup: () => void = () => {};

  constructor(settings: Settings) {
    this.settings = settings;
    this.streams = new StandardStreams(settings.targets, settings.title);
  }
}

interface Step {
  name: string;
  source: string;
  does: (settings: Settings) => string;
  /** Left out of the table and of the run where it has nothing to do. */
  applies?: (settings: Settings) => boolean;
  /** Absent where the step before does it as well. */
  run?: (run: Run) => void;
  /** For what comes before the fork: takes it back. */
  undo?: (run: Run) => void;
}

const steps: readonly Step[] = [
  {
    name: 'umask',
    source: 'APUE 13.3 rule 1; daemon(7) step 10',
    does: ({ umask }) => `umask(0${umask.toString(8)})`,
    run: (run) => (run.oldUmask = umask(run.settings.umask)),
    undo: (run) => umask(run.oldUmask),
  },
  {
    name: 'open',
    source: 'before the fork, so that a bad path is an error in the terminal',
    does: ({ targets, cwd }) =>
      `open ${targets.map(nameTarget).join(', ')}; check ${cwd}`,
    run: ({ settings, streams }) => {
      assertDirectory(settings.cwd);
      streams.open();
    },
    undo: ({ streams }) => streams.close(),
  },
  {
    name: 'flush',
    source: 'APUE 8.3: what is buffered at a fork is written twice or never',
    does: () => 'write out what process.stdout and stderr still hold',
    run: ({ streams }) => streams.flush(),
  },
  {
    name: 'sighup aside',
    source:
      'APUE figure 13.1; the terminal may close before the daemon is free',
    does: () => 'sigaction(SIGHUP, SIG_IGN), remembering what it did',
    run: (run) => (run.giveBackSighup = setAside('SIGHUP')),
    undo: (run) => run.giveBackSighup(),
  },
  {
    name: 'fork',
    source: 'APUE 13.3 rule 2; daemon(7) steps 5 and 15',
    does: () => 'fork(); the launching process waits for the daemon and leaves',
    run: (run) => (run.channel = detach()),
  },
  {
    name: 'setsid',
    source: 'APUE 13.3 rule 3; daemon(7) step 6',
    does: () => 'setsid(): a session of its own, without a terminal',
  },
  {
    name: 'refork',
    source: 'APUE figure 13.1; daemon(7) steps 7 and 8',
    does: () =>
      'fork(); the session leader leaves: no terminal can be acquired again',
  },
  {
    name: 'environment',
    source: 'sd_listen_fds(3), sd_watchdog_enabled(3)',
    does: () => 'LISTEN_PID and WATCHDOG_PID follow the pid',
    run: renamePid,
  },
  {
    name: 'chdir',
    source: 'APUE 13.3 rule 4; daemon(7) step 11',
    does: ({ cwd }) => `chdir('${cwd}')`,
    run: ({ settings }) => chdir(settings.cwd),
  },
  {
    name: 'close',
    source: 'APUE 13.3 rule 5; daemon(7) step 1',
    does: ({ preserveFds }) =>
      ['close inherited descriptors', ...preserveFds].join(', but not '),
    applies: ({ closeFds }) => closeFds === 'inherited',
    run: closeInherited,
  },
  {
    name: 'stdio',
    source: 'APUE 13.3 rule 6; daemon(7) step 9',
    does: ({ targets }) =>
      targets.map((target, fd) => `${fd}: ${nameTarget(target)}`).join(', '),
    run: ({ streams }) => streams.redirect(),
  },
  {
    name: 'sigchld',
    source: 'POSIX.1-2017 _Exit(): children of who ignores SIGCHLD are reaped',
    does: () => 'signal(SIGCHLD, SIG_IGN)',
    applies: ({ sigchld }) => sigchld === 'ignore',
    run: () => signal('SIGCHLD', 'ignore'),
  },
  {
    name: 'title',
    source: 'process.title',
    does: ({ title }) => `process title '${title ?? ''}'`,
    applies: ({ title }) => title !== undefined,
    run: ({ settings }) => (process.title = settings.title ?? ''),
  },
  {
    name: 'sighup back',
    source:
      'APUE 13.6: a daemon may use SIGHUP to read its configuration again',
    does: () => 'SIGHUP does again what the program had set',
    run: (run) => run.giveBackSighup(),
  },
  {
    name: 'ready',
    source: 'daemon(7) steps 14 and 15',
    does: () => 'the launching process leaves with status 0',
    run: ({ channel }) => new Launcher(channel).ready(),
  },
];

const forkAt = steps.findIndex(({ name }) => name === 'fork');

let isDaemon = false;

/**
 * Turns the running process into a daemon, literally as APUE figure 13.1 with
 * the second fork, and returns in the daemon only. The launching process leaves
 * with status 0 once every step is done, and never comes back from the call.
 *
 * Nothing is started again: variables, open sockets, promises in flight, work
 * in libuv's pool and Workers go on, in a process with another pid.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {DaemonError} `ERR_DAEMON_ALREADY_DAEMON` called twice;
 *   `ERR_DAEMON_IN_WORKER`, `ERR_DAEMON_THREAD_NOT_STOPPED`,
 *   `ERR_DAEMON_UNSUPPORTED` as for `fork`
 * @throws {PosixError} with `step`: a file cannot be opened, the directory cannot
 *   be entered, `EAGAIN` or `ENOMEM` from fork. After any error the process is
 *   as before and may try again. What fails in the daemon is printed by the
 *   launching process, which then leaves with 1; the daemon ends.
 * @see APUE (Stevens, Rago), section 13.3; daemon(7) "SysV daemons"
 */
export function daemonize(options?: DaemonizeOptions): DaemonContext {
  const settings = readOptions(options);
  if (isDaemon) throw new DaemonError('ERR_DAEMON_ALREADY_DAEMON', {});
  assertForkable();
  const run = new Run(settings);
  const table = steps.filter(({ applies }) => applies?.(settings) ?? true);
  const fork = table.indexOf(steps[forkAt]!);
  runOrUndo(run, table.slice(0, fork + 1));
  isDaemon = true;
  runOrLeave(run, table.slice(fork + 1));
  const reopenLogs = (): void => run.streams.reopen();
  return { pid: process.pid, detached: true, reopenLogs };
}

/**
 * What {@link daemonize} would do with these options, in order. Nothing is done.
 * @throws as `daemonize` for wrong options
 */
export function explain(options?: DaemonizeOptions): Explanation[] {
  const settings = readOptions(options);
  return steps
    .filter(({ applies }) => applies?.(settings) ?? true)
    .map(({ name, source, does }) => ({ name, does: does(settings), source }));
}

function runOrUndo(run: Run, table: readonly Step[]): void {
  for (const [index, step] of table.entries()) {
    try {
      step.run?.(run);
    } catch (error) {
      for (const done of table.slice(0, index).reverse()) done.undo?.(run);
      throw located(error, step);
    }
  }
}

function runOrLeave(run: Run, table: readonly Step[]): void {
  for (const step of table) {
    try {
      step.run?.(run);
    } catch (error) {
      const { message } = located(error, step);
      new Launcher(run.channel).fail(
        `posix-daemonize: step '${step.name}': ${message}\n`,
      );
      _exit(1);
    }
  }
}

/** The error, with the step it happened in; the kernel's in our own shape. */
function located(error: unknown, { name }: Step): Error {
  if (error instanceof DaemonError || error instanceof PosixError)
    return Object.assign(error, { step: name });
  const { errno, syscall, path } = error as NodeJS.ErrnoException;
  if (errno === undefined || syscall === undefined) return error as Error;
  return Object.assign(new PosixError(errno, syscall, path), { step: name });
}

function nameTarget(target: Target): string {
  if (typeof target === 'number') return `descriptor ${target}`;
  if (typeof target === 'object') return target.path;
  return target === 'null' ? '/dev/null' : target;
}

// A look at what is in it needs the right that chdir(2) needs, of the same
// (effective) user; access(2) would ask for the real one's.
function assertDirectory(path: string): void {
  try {
    statSync(`${path}/.`);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new PosixError(errno!, 'chdir', path);
  }
}

function renamePid({ launchingPid }: Run): void {
  for (const name of ['LISTEN_PID', 'WATCHDOG_PID'])
    if (process.env[name] === String(launchingPid))
      process.env[name] = String(process.pid);
}

function closeInherited({ settings }: Run): void {
  const kept = [...settings.preserveFds, ...listActivated()];
  const used = settings.targets;
  for (const fd of listInherited())
    if (!kept.includes(fd) && !used.includes(fd)) close(fd);
}

/** systemd's sockets, where they are meant for this process. */
function listActivated(): number[] {
  const first = 3;
  if (process.env.LISTEN_PID !== String(process.pid)) return [];
  const length = Number(process.env.LISTEN_FDS ?? 0) || 0;
  return Array.from({ length }, (_, index) => first + index);
}
