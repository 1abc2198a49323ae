import assert from 'node:assert/strict';
import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SupervisorState } from '../../src/supervisor/state';
import { nodes } from './nodes';
import { isGone } from './processes';
import { until, withFolder } from './scenario';

const cli = join(__dirname, '../../lib/cli.js');

/** What the launching process of `run` leaves with. */
export interface Answer {
  status: number;
  stderr: string;
}

/** A command with a supervisor, and its files in a folder of a test's own. */
export class Supervised {
  readonly folder: string;
  readonly pidfile: string;
  readonly childPidfile: string;

  constructor(folder: string) {
    this.folder = folder;
    this.pidfile = join(folder, 'x.pid');
    this.childPidfile = join(folder, 'c.pid');
  }

  /** The arguments of node. */
  words(options: readonly string[], command: readonly string[]): string[] {
    const files = [
      '--pidfile',
      this.pidfile,
      '--child-pidfile',
      this.childPidfile,
    ];
    const log = options.includes('--syslog')
      ? []
      : ['--stdout', join(this.folder, 'log')];
    return [
      cli,
      'run',
      ...files,
      ...log,
      '--respawn',
      ...options,
      '--',
      ...command,
    ];
  }

  /** In the background: resolves when the launching process has left. */
  start(
    options: readonly string[],
    command: readonly string[],
    through: readonly string[] = [],
  ): Promise<Answer> {
    return answer([...through, nodes[0].path, ...this.words(options, command)]);
  }

  /** In the foreground, as the test's own child. */
  startHere(
    options: readonly string[],
    command: readonly string[],
  ): ChildProcess {
    const words = this.words(['--foreground', ...options], command);
    return spawn(nodes[0].path, words, { stdio: 'ignore' });
  }

  get pid(): number {
    return firstLine(this.pidfile);
  }

  get childPid(): number {
    return firstLine(this.childPidfile);
  }

  /** The pid of the command, which may be up before its file tells. */
  async child(): Promise<number> {
    await until("the command's pid", () => this.childPid !== 0);
    return this.childPid;
  }

  get state(): SupervisorState {
    const file = join(this.folder, 'x.state');
    return JSON.parse(readFileSync(file, 'utf8')) as SupervisorState;
  }

  lines(file = 'log'): string[] {
    const path = join(this.folder, file);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  }

  /** Waits for a line of the command, or of the supervisor. */
  async line(pattern: RegExp): Promise<string> {
    const find = (): string | undefined =>
      this.lines().find((line) => pattern.test(line));
    await until(`a line ${pattern}`, () => find() !== undefined);
    return find()!;
  }

  /** What the supervisor itself has said. */
  told(): string[] {
    const own = 'posix-daemonize: ';
    return this.lines()
      .filter((line) => line.startsWith(own))
      .map((line) => line.slice(own.length));
  }

  /** Ends it if it runs. */
  async stop(): Promise<void> {
    for (const pid of [this.pid, this.childPid]) {
      if (pid === 0) continue;
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        continue; // it has ended
      }
      await until(`the end of ${pid}`, () => isGone(pid));
    }
  }
}

/** `posix-daemonize` with these arguments. */
export function posixDaemonize(args: readonly string[]): Promise<Answer> {
  return answer([nodes[0].path, cli, ...args]);
}

function answer([file, ...args]: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(file!, args, (error, _, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, stderr });
    });
  });
}

/** A supervised command for the time of `use`. */
export function withSupervised<T>(
  use: (supervised: Supervised) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const supervised = new Supervised(folder);
    try {
      return await use(supervised);
    } finally {
      await supervised.stop();
    }
  });
}

/** Exit status of one that runs in the foreground. */
export async function statusOf(child: ChildProcess): Promise<number> {
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, null);
  return child.exitCode!;
}

/** Restarts that nobody has to wait for. */
export const soon = ['--respawn-delay', '1ms', '--respawn-max-delay', '1ms'];

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);

/** 0 where there is none. */
function firstLine(path: string): number {
  if (!existsSync(path)) return 0;
  return Number.parseInt(readFileSync(path, 'utf8'), 10) || 0;
}
