import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { within } from './launch';
import { nodes, type TestNode } from './nodes';
import { firstLine } from './pidfile';
import { until, withFolder } from './scenario';

/** ms for a command */
const DEADLINE = 30_000;

export const cliPath = join(__dirname, '../../lib/cli.js');

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  node?: TestNode;
  cwd?: string;
  /** Added to this process's; undefined takes a name away. */
  env?: Record<string, string | undefined>;
  /** Further descriptors, from 3 on. */
  fds?: readonly number[];
  /** A command that runs the one that follows it. */
  through?: readonly string[];
}

/** Runs a program to its end, and that of its output. */
export async function runToEnd(
  [file, ...args]: readonly string[],
  { cwd, env = {}, fds = [] }: CliOptions = {},
): Promise<Ended> {
  const child = spawn(file!, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on(
      'data',
      (chunk: string) => (text[name] += chunk),
    );
  try {
    await within(DEADLINE, 'the end of a command', once(child, 'close'));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { status: child.exitCode, signal: child.signalCode, ...text };
}

/** Runs the command line that was built. */
export function cli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<Ended> {
  const { node = nodes[0], through = [] } = options;
  return runToEnd([...through, node.path, cliPath, ...args], options);
}

/** A folder with the files of one daemon, which is ended with it. */
export class Place {
  readonly folder: string;
  readonly pidfile: string;
  readonly log: string;

  constructor(folder: string, pidfile = 'pid') {
    this.folder = folder;
    this.pidfile = join(folder, pidfile);
    this.log = join(folder, 'log');
  }

  /** `run` with these files. */
  run(
    options: readonly string[],
    command: readonly string[],
    how: CliOptions = {},
  ): Promise<Ended> {
    const files = ['--pidfile', this.pidfile, '--stdout', this.log];
    return cli(['run', ...files, ...options, '--', ...command], how);
  }

  /** Of the PID file. */
  get pid(): number {
    return Number(firstLine(this.pidfile));
  }

  get hasPidfile(): boolean {
    return existsSync(this.pidfile);
  }

  get said(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
  }

  /** Waits until the log has all lines of something. */
  async says(text: string | RegExp): Promise<string> {
    await until(`${text} in the log`, () =>
      typeof text === 'string'
        ? this.said.includes(text)
        : text.test(this.said),
    );
    return this.said;
  }

  async end(): Promise<void> {
    if (!this.hasPidfile || !(this.pid > 1)) return;
    const { pid } = this;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return; // it has ended
    }
    await until('the end of the daemon', () => !existsSync(`/proc/${pid}`));
  }
}

export function withPlace<T>(use: (place: Place) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const place = new Place(folder);
    try {
      return await use(place);
    } finally {
      await place.end();
    }
  });
}
