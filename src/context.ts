/** What a daemon holds in its hands after `daemonize`. */
import { describe, errnoOf, statusOf } from './failure';
import type { Reports } from './logging/reports';
import type { SyslogStream } from './logging/syslog-stream';
import type { Pidfile } from './pidfile';
import { firstNote, type Note } from './pidfile-content';
import { writeAll } from './posix/loop';
import { type Launcher, tellSupervisor } from './readiness';
import type { Settings } from './settings';
import type { StandardStreams } from './stdio';
import type { LauncherKind } from './surroundings';
import { notify } from './systemd/notify';

/** What `daemonize` returns, in the daemon. */
export interface DaemonContext {
  /** The daemon's pid. */
  readonly pid: number;
  /** Who launched it, by the evidence that there is. */
  readonly launcher: LauncherKind;
  /** Whether the process left its terminal and session. */
  readonly detached: boolean;
  /** Path of the PID file, where there is one. */
  readonly pidfile?: string;
  /**
   * The daemon's own way to the system log, which never waits: `send()` with a
   * priority, or `new SyslogConsole(context.log)`. There with the option `syslog`
   * and where stdout or stderr lead to `'syslog'`.
   */
  readonly log?: SyslogStream;
  /** Whether {@link ready} was called, or `ready: 'now'` did so. */
  readonly isReady: boolean;

  /**
   * The daemon is up, with `ready: 'manual'`: the launching process leaves with
   * status 0, stderr leads to its target from now on, and a supervisor is told:
   * `READY=1` to NOTIFY_SOCKET, a newline to `notificationFd`. Every later call
   * says that it has reloaded: `READY=1` once more, and who waits for
   * `Daemon.reload()` goes on.
   * @param status a line for `systemctl status`
   * @throws {PosixError} the supervisor cannot be told, or the PID file not written
   * @see sd_notify(3); daemon(7) steps 14 and 15
   */
  ready(status?: string): void;

  /**
   * Does what SIGHUP asks for, such as reading the configuration again, and says
   * so: `RELOADING=1` to NOTIFY_SOCKET before, {@link ready} after it; who waits
   * for `Daemon.reload()` hears how it ended. A signal that arrives meanwhile is
   * served afterwards, several by one call. Before the daemon is ready
   * NOTIFY_SOCKET is told nothing, and who waits goes on once it is.
   * @param action may be async. Where it throws or rejects, the daemon goes on:
   *   the message goes to stderr, to the status line of systemd and to who waits.
   * @see sd_notify(3), `RELOADING=1`
   */
  reload(action: () => unknown): Promise<void>;

  /**
   * Ends the daemon as failed: status `error.exitCode` or `process.exitCode`
   * where that is a number, or 1. Before it is ready the message goes to the
   * launching terminal, and the launching process leaves with the same status;
   * afterwards to stderr. With the option `syslog` it is in the entry that
   * tells of the end, and there only where stderr leads to the log.
   * NOTIFY_SOCKET gets it too, with `ERRNO=`: the error's, or `ECANCELED`.
   * `NODE_DEBUG=posix-daemonize` adds the stack.
   */
  fail(error: unknown): never;

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

  /**
   * Gives back what the daemon holds: removes the PID file. Done by itself at
   * the end of the process.
   */
  close(): void;
}

/** Characters of a status line: a message to systemd has 4096 bytes at most. */
const longestStatus = 1000;

/** What the steps have made and the daemon keeps. */
export interface Belongings {
  launcher: Launcher;
  streams: StandardStreams;
  pidfile: Pidfile | undefined;
  log: SyslogStream | undefined;
  reports: Reports | undefined;
}

export class Context implements DaemonContext {
  readonly pid = process.pid;
  readonly launcher: LauncherKind;
  readonly detached: boolean;
  readonly pidfile?: string;
  readonly log?: SyslogStream;
  readonly #settings: Settings;
  readonly #launcher: Launcher;
  readonly #streams: StandardStreams;
  readonly #pidfile: Pidfile | undefined;
  readonly #reports: Reports | undefined;
  #note = firstNote;
  #hasFailed = false;
  #reloading: Promise<void> | undefined;
  #nextReload: (() => unknown) | undefined;

  constructor(settings: Settings, belongings: Belongings) {
    const { launcher, streams, pidfile, log, reports } = belongings;
    this.#settings = settings;
    this.launcher = settings.surroundings.launcher;
    this.detached = settings.detach;
    this.#launcher = launcher;
    this.#streams = streams;
    this.#pidfile = pidfile;
    this.#reports = reports;
    if (pidfile) this.pidfile = pidfile.path;
    if (log) this.log = log;
  }

  ready(status?: string): void {
    const text = status === undefined ? {} : { status };
    const isFirst = !this.isReady;
    const mainpid = isFirst && this.detached && { mainpid: this.pid };
    // A wrong status is an error even where nobody listens.
    if (process.env.NOTIFY_SOCKET !== undefined || status !== undefined)
      notify({ ready: true, ...mainpid, ...text });
    const { notificationFd } = this.#settings;
    if (isFirst && notificationFd !== undefined) tellSupervisor(notificationFd);
    this.#tell({ ready: this.#note.ready + 1 });
    if (isFirst) this.#tellLauncher();
  }

  /** Who asks, by the PID file. */
  #tell(news: Partial<Note>): void {
    const note = { ...this.#note, ...news };
    this.#pidfile?.note(note);
    this.#note = note;
  }

  #tellLauncher(): void {
    const { ready } = this.#settings;
    if (ready === 'manual' && this.detached) this.#streams.redirect([2]);
    this.#launcher.ready();
  }

  get isReady(): boolean {
    return this.#note.ready > 0;
  }

  reload(action: () => unknown): Promise<void> {
    this.#nextReload = action;
    return (this.#reloading ??= this.#reloadAll());
  }

  async #reloadAll(): Promise<void> {
    for (let action; (action = this.#nextReload);) {
      this.#nextReload = undefined;
      await this.#reload(action);
    }
    this.#reloading = undefined;
  }

  async #reload(action: () => unknown): Promise<void> {
    // A child by fork(), with the same listeners, does not speak for it.
    const speaks = this.isReady && process.pid === this.pid;
    const begun = this.#note.begun + 1;
    // Before the action: who asks from now on waits for the next one.
    tell(() => this.#tell({ begun }));
    if (speaks) tell(() => notify({ reloading: true }));
    const end = { begun, ended: begun };
    try {
      await action();
      if (speaks) this.ready();
      this.#tell({ ...end, reloaded: begun, error: undefined });
    } catch (error) {
      const reason = describe(error);
      const text = `reload failed: ${reason}`;
      tell(() => writeAll(2, Buffer.from(`posix-daemonize: ${text}\n`)));
      const status = text.slice(0, longestStatus);
      if (speaks) tell(() => notify({ ready: true, status }));
      tell(() => this.#tell({ ...end, error: reason }));
    }
  }

  fail(error: unknown): never {
    const status = statusOf(error);
    const reason = describe(error);
    const text = `posix-daemonize: ${reason}\n`;
    this.#tellSupervisor(error, firstLine(text));
    this.because(reason);
    if (this.#launcher.waits) this.#launcher.fail(text, status);
    else if (!this.#reports?.speaksForStderr())
      tell(() => writeAll(2, Buffer.from(text)));
    process.exit(status);
  }

  /** Why the process is about to exit, for the system log. */
  because(reason: string): void {
    this.#reports?.because(reason);
  }

  reopenLogs(): void {
    this.#streams.reopen();
  }

  close(): void {
    this.#pidfile?.remove();
  }

  /**
   * The process ends: a supervisor that waits for it to be ready need not. The
   * end of a child that has the same listeners, by fork(), is another matter.
   */
  end(): void {
    if (process.pid !== this.pid) return;
    if (!this.isReady && !this.#hasFailed)
      this.#tellSupervisor(undefined, 'ended before it was ready');
    this.close();
  }

  // start-stop-daemon gives up at ERRNO, systemd shows it.
  #tellSupervisor(error: unknown, status: string): void {
    this.#hasFailed = true;
    tell(() => notify({ stopping: true, errno: errnoOf(error), status }));
  }
}

/** It ends, whether anybody hears of it or not. */
function tell(action: () => void): void {
  try {
    action();
  } catch {
    // No supervisor any more, a closed terminal, inetd's socket that listens.
  }
}

const firstLine = (text: string): string => text.slice(0, text.indexOf('\n'));
