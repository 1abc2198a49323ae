import assert from 'node:assert/strict';
import {
  type ChildProcess,
  spawn,
  type SpawnOptions,
} from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import type { LauncherKind, Surroundings } from '../../src/surroundings';
import { isInstalled } from './installed';
import { within } from './launch';
import { needsRoot } from './scenario';

/** ms: a systemd has to boot for some */
const DEADLINE = 60_000;

const root = join(__dirname, '../..');

/** What `test/fixtures/surroundings.cjs` tells. */
export interface Report extends Surroundings {
  label: string;
  pid: number;
  /** The shortest of many calls. */
  ms: number;
  /** Node's own modules that were loaded by then. */
  loaded: string[];
}

/** A folder, a program that tells of itself, and the place where it tells. */
export class Reporter<T extends { label: string } = Report> {
  readonly folder = mkdtempSync(join(tmpdir(), 'surroundings-'));
  readonly #program: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #children = new Set<ChildProcess>();
  readonly #reports: T[] = [];
  #said = '';
  #wake = () => {};

  /**
   * @param fixture of test/fixtures. By default the folder gets a program that
   *   tells what launched it and needs nothing else: the folder may be seen from
   *   a container.
   */
  constructor(fixture?: string) {
    this.#program =
      fixture === undefined
        ? installDetection(this.folder)
        : join(root, 'test/fixtures', fixture);
    // allowHalfOpen: the program is to stay after it has told all.
    this.#server = createServer({ allowHalfOpen: true }, (connection) => {
      this.#connections.add(connection);
      let text = '';
      connection
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('error', () => {}) // it was killed
        .on('end', () => {
          if (text !== '') this.#reports.push(JSON.parse(text) as T);
          this.#wake();
        });
    }).listen(join(this.folder, 'socket'));
  }

  /** The command that tells. */
  command(label: string, ...args: readonly string[]): string[] {
    const socket = join(this.folder, 'socket');
    return [process.execPath, this.#program, socket, label, ...args];
  }

  /** Starts a program; it is ended with the reporter. */
  start(command: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    this.#children.add(child);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    return child;
  }

  has(label: string): boolean {
    return this.#reports.some((report) => report.label === label);
  }

  /** The first report with this label, or a later one. */
  async report(label: string, index = 0): Promise<T> {
    const find = async (): Promise<T> => {
      for (;;) {
        const all = this.#reports.filter((report) => report.label === label);
        const found = all[index];
        if (found) return found;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    try {
      return await within(DEADLINE, `the report '${label}'`, find());
    } catch (cause) {
      throw new Error(`programs said: ${this.#said}`, { cause });
    }
  }

  /** Starts the command behind what is to be detected, as its argument. */
  async through(
    before: readonly string[],
    options: SpawnOptions = {},
  ): Promise<T> {
    this.start([...before, ...this.command('through')], options);
    return this.report('through');
  }

  /** Ends all: supervisors first, or they would start it again. */
  async end(): Promise<void> {
    const ends = [...this.#children].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      // Process 1 of a namespace ignores SIGTERM; it ends with its program.
      for (const connection of this.#connections) connection.destroy();
      await exit;
    });
    await within(DEADLINE, 'the end of all programs', Promise.all(ends));
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}

function installDetection(folder: string): string {
  buildSync({
    entryPoints: [join(root, 'src/surroundings.ts')],
    outfile: join(folder, 'lib/surroundings.js'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
  });
  const prebuilds = 'prebuilds';
  cpSync(join(root, prebuilds), join(folder, prebuilds), { recursive: true });
  const program = join(folder, 'surroundings.cjs');
  copyFileSync(join(root, 'test/fixtures/surroundings.cjs'), program);
  return program;
}

/** A test with a reporter of its own. */
export function withReporter<T extends { label: string } = Report>(
  title: string,
  options: Skip,
  use: (reporter: Reporter<T>) => Promise<void>,
  fixture?: string,
): void {
  test(title, options, async () => {
    const reporter = new Reporter<T>(fixture);
    try {
      await use(reporter);
    } finally {
      await reporter.end();
    }
  });
}

/** What a report shall say. */
export interface Expected {
  launcher: LauncherKind;
  detach: boolean;
  evidence: RegExp;
}

export const shell: Expected = {
  launcher: 'shell',
  detach: true,
  evidence: /^started by/,
};

export function stays(launcher: LauncherKind, evidence: RegExp): Expected {
  return { launcher, detach: false, evidence };
}

export function expect(report: Report, expected: Expected): void {
  const { launcher, detach, evidence } = report;
  const { evidence: pattern, ...rest } = expected;
  assert.deepEqual({ launcher, detach }, rest, evidence);
  assert.match(evidence, pattern);
}

export interface Skip {
  skip: string | false;
}

/** For tests that need programs: where one is missing, what installs it. */
export function needs(
  ...programs: [name: string, packageName?: string][]
): Skip {
  const missing = programs.filter(([name]) => !isInstalled(name));
  const names = missing.map(([name, packageName = name]) => packageName);
  return { skip: names.length > 0 && `install ${names.join(', ')}` };
}

/** The same for tests that need root as well. */
export function needsRootAnd(...programs: Parameters<typeof needs>): Skip {
  const { skip } = needs(...programs);
  return { skip: skip || needsRoot.skip };
}

/** Calls a service that is on its way up; the connection stays. */
export async function call(address: number | string): Promise<Socket> {
  for (;;) {
    const socket =
      typeof address === 'number'
        ? connect(address, '127.0.0.1')
        : connect(address);
    try {
      await once(socket, 'connect');
      return socket.on('error', () => {});
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ECONNREFUSED', 'ENOENT'].includes(code)) throw error;
      await setImmediate();
    }
  }
}
