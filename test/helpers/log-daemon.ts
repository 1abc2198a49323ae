import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsOwnDev } from './devlog';
import { isInstalled } from './installed';
import type { LaunchOptions, Probe } from './launch';
import { type Entry, readJournal, readLog } from './log-entries';
import { socketsOf } from './processes';
import type { Program } from './programs';
import { until, withFolder } from './scenario';

export { type Entry, texts } from './log-entries';

/** A program of each, and what brings it. */
const programs = {
  busybox: ['busybox', 'install busybox'],
  rsyslogd: ['rsyslogd', 'install rsyslog'],
  'syslog-ng': [
    'syslog-ng',
    'run `node scripts/unpack-debian.mjs syslog-ng-core`: it conflicts with rsyslog',
  ],
  journald: ['journalctl', 'install systemd'],
} as const;

export type Kind = keyof typeof programs;

export const kinds = Object.keys(programs) as Kind[];

/** For tests that a log daemon is started for. */
export function needs(kind: Kind): { skip: string | false } {
  if (needsOwnDev.skip) return needsOwnDev;
  const [program, remedy] = programs[kind];
  return { skip: !isInstalled(program) && remedy };
}

const helper = (name: string): string => join(__dirname, name);

/** A log daemon of a test's own, with a /dev of its own; see `syslogd`. */
export class LogDaemon {
  readonly #kind: Kind;
  readonly #folder: string;
  /** Keeps /dev while nobody else is there. */
  readonly #keeper: ChildProcess;
  #daemon: ChildProcess | undefined;

  private constructor(kind: Kind, folder: string, keeper: ChildProcess) {
    this.#kind = kind;
    this.#folder = folder;
    this.#keeper = keeper;
  }

  /** Makes a /dev for it, in which nobody listens yet. */
  static async prepare(kind: Kind, folder: string): Promise<LogDaemon> {
    // Ends when this process does.
    const keeper = spawn(
      helper('private-dev'),
      ['sh', '-c', 'echo ready; exec cat'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await once(keeper.stdout, 'data');
    return new LogDaemon(kind, folder, keeper);
  }

  /** The command before one that shall have this /dev, such as a launch. */
  get through(): readonly string[] {
    return ['nsenter', `--target=${this.#keeper.pid}`, '--mount', '--wd'];
  }

  /** That of the log daemon, which runs. */
  get pid(): number {
    return this.#running.pid!;
  }

  get #running(): ChildProcess {
    assert.ok(this.#daemon, 'the log daemon runs');
    return this.#daemon;
  }

  /** Starts it, which has not been started or has ended. */
  async start(): Promise<void> {
    assert.equal(this.#daemon, undefined);
    const said = join(this.#folder, 'said');
    const output = openSync(said, 'a');
    const [nsenter, ...args] = this.through;
    const daemon = spawn(
      'setpriv', // so that it ends when this process does
      ['--pdeathsig', 'SIGKILL', nsenter!, ...args].concat(
        helper('syslogd'),
        this.#kind,
        this.#folder,
      ),
      { stdio: ['ignore', output, output] },
    );
    closeSync(output);
    this.#daemon = daemon;
    await until('the log daemon to listen', () => {
      assert.equal(daemon.exitCode, null, readFileSync(said, 'utf8'));
      return socketsOf(daemon.pid!).some((path) => /dev.log$/.test(path));
    });
  }

  /** Stops it from reading. */
  stop(): void {
    this.#running.kill('SIGSTOP');
  }

  /** Has it read again. */
  cont(): void {
    this.#running.kill('SIGCONT');
  }

  /** Ends it as at a shutdown: it has written all that it has read. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const daemon = this.#running;
    const exit = once(daemon, 'exit');
    daemon.kill(signal);
    await exit;
    this.#daemon = undefined;
  }

  /** Ends it and starts it again; meanwhile nobody listens on /dev/log. */
  async restart(): Promise<void> {
    await this.end();
    await this.start();
  }

  entries(): Entry[] {
    return this.#kind === 'journald'
      ? readJournal(`/proc/${this.#keeper.pid}/root/run/log/journal`)
      : readLog(join(this.#folder, 'log'));
  }

  /** All entries, once those that were sent before this call are there. */
  async settled(): Promise<Entry[]> {
    const mark = `mark of ${process.hrtime.bigint()}`;
    const socket = `/proc/${this.pid}/root/dev/log`;
    spawnSync('logger', ['-i', '-t', 'mark', '-u', socket, '--', mark]);
    const entries = await this.entriesTo(mark);
    return entries.filter(({ ident }) => ident !== 'mark');
  }

  async entriesTo(last: string): Promise<Entry[]> {
    await until(`an entry '${last}'`, () =>
      this.entries().some(({ text }) => text === last),
    );
    return this.entries();
  }

  /** Ends it, and lets go of its /dev. */
  async close(): Promise<void> {
    if (this.#daemon?.exitCode === null) await this.end('SIGKILL');
    const exit = once(this.#keeper, 'exit');
    this.#keeper.stdin!.end();
    await exit;
  }
}

interface LogDaemonOptions {
  /** Do not start it; the test does. */
  late?: boolean | undefined;
}

/** With a log daemon that listens on a /dev/log of its own. */
export function withLogDaemon<T>(
  kind: Kind,
  use: (log: LogDaemon) => Promise<T>,
  { late = false }: LogDaemonOptions = {},
): Promise<T> {
  return withFolder(async (folder) => {
    const log = await LogDaemon.prepare(kind, folder);
    try {
      if (!late) await log.start();
      return await use(log);
    } finally {
      await log.close();
    }
  });
}

/** Plays a scenario while a log daemon listens on a /dev/log of its own. */
export function playLogged<T>(
  kind: Kind,
  program: Program,
  scenario: string,
  args: readonly unknown[],
  use: (probe: Probe, log: LogDaemon, stderr: string) => Promise<T>,
  { late, ...options }: LaunchOptions & LogDaemonOptions = {},
  expected = 0,
): Promise<T> {
  const played = (log: LogDaemon): Promise<T> =>
    program.play(
      scenario,
      args,
      { ...options, through: log.through },
      (probe, { status, stderr }) => {
        assert.equal(status, expected, stderr);
        return use(probe, log, stderr);
      },
    );
  return withLogDaemon(kind, played, { late });
}
