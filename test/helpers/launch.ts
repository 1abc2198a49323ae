import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { TestNode } from './nodes';
import type { Report } from '../fixtures/probe.cjs';

export type { Report };

/** ms: long enough for a machine under load, short enough to fail in CI. */
const DEADLINE = 30_000;

const REPORT_FD = 3;
const DEADMAN_FD = 4;
const fixtures = join(__dirname, '../fixtures');
const terminal = join(__dirname, 'terminal.py');
const reaper = join(__dirname, 'reaper.py');

export interface LaunchOptions {
  /**
   * Start it on a terminal of its own, as leader of a session; `'hangup'`
   * closes the terminal the moment the launching process exits. Without
   * `'hangup'` the terminal stays until everybody has closed it.
   * @default false
   */
  pty?: boolean | 'hangup';
  /** Type Ctrl-C on the pty once this text has appeared there. */
  interruptAt?: string;
  /** Added to this process's environment; undefined takes a name away. */
  env?: Record<string, string | undefined>;
  /** Options of node itself, before the fixture. */
  execArgv?: string[];
  /** A command that runs the one that follows it, such as `unshare`. */
  through?: readonly string[];
  /**
   * Have a subreaper, which reports the end of each orphan: see `reaper.py`
   * @default false
   */
  reaper?: boolean;
  cwd?: string;
  /** Text for its standard input, which is empty otherwise. */
  input?: string;
  /**
   * When the launch is over: at the exit of the launching process, or when
   * in addition everybody has closed its standard output and error.
   * @default 'close'
   */
  until?: 'close' | 'exit';
  /** ms for the launching process @default 30000 */
  timeout?: number;
}

/** What the launching terminal or shell sees. */
export interface Launched {
  status: number | null;
  signal: NodeJS.Signals | null;
  /** On a pty: all that appeared on it, with plain newlines. */
  stdout: string;
  /** On a pty: empty. */
  stderr: string;
  /** From the start to the end of the launch. */
  ms: number;
}

/**
 * The test's side of `test/fixtures/probe.cjs`. Every process that descends
 * from the launched one and kept the two descriptors hangs on it.
 */
export class Probe {
  readonly #lines: AsyncIterator<string, undefined>;
  readonly #report: Readable;
  readonly #deadman: Writable;

  constructor(report: Readable, deadman: Writable) {
    this.#report = report;
    this.#deadman = deadman;
    this.#lines = createInterface({ input: report })[Symbol.asyncIterator]();
    // The reader of either end may be gone first; EOF tells it all.
    for (const stream of [report, deadman]) stream.on('error', () => {});
  }

  /**
   * @returns the next value that a fixture gave to `report()`
   * @throws {Error} nothing came within `timeout` ms, or everybody is gone
   */
  async next<T = Report>(timeout = DEADLINE): Promise<T> {
    const { done, value } = await within(
      timeout,
      'the next report',
      this.#lines.next(),
    );
    if (done === true) throw new Error('gone without a report');
    return JSON.parse(value) as T;
  }

  /**
   * Resolves when the process and all that inherited its descriptors are
   * gone, with the reports that nobody asked for.
   * @throws {Error} somebody was there after `timeout` ms
   */
  async gone<T = Report>(timeout = DEADLINE): Promise<T[]> {
    const reports: T[] = [];
    const drain = async (): Promise<T[]> => {
      for (;;) {
        const { done, value } = await this.#lines.next();
        if (done === true) return reports;
        reports.push(JSON.parse(value) as T);
      }
    };
    return within(timeout, 'the end of the daemon', drain());
  }

  /**
   * Lets everybody go, as the death of this process would, and waits.
   * @returns the reports that nobody asked for
   */
  async end<T = Report>(timeout = DEADLINE): Promise<T[]> {
    this.#deadman.end();
    try {
      return await this.gone<T>(timeout);
    } finally {
      this.#deadman.destroy();
      this.#report.destroy();
    }
  }
}

/** A launching process that is not waited for yet. */
export interface Launching {
  /** Of `terminal.py` when on a pty. */
  process: ChildProcess;
  probe: Probe;
  /** Rejects when the launch is not over in time. */
  launched: Promise<Launched>;
}

/**
 * Starts `test/fixtures/<fixture>` on `node`, with the report pipe and the
 * dead-man pipe at the descriptors that `REPORT_FD` and `DEADMAN_FD` in its
 * environment name. The caller has to `await probe.end()`.
 */
export function start(
  node: TestNode,
  fixture: string,
  args: readonly string[] = [],
  options: LaunchOptions = {},
): Launching {
  const command = [
    ...(options.pty ? ['python3', terminal] : []),
    ...(options.pty === 'hangup' ? ['--hangup-after-exit'] : []),
    ...(options.interruptAt === undefined
      ? []
      : [`--interrupt-at=${options.interruptAt}`]),
    ...(options.reaper ? ['python3', reaper] : []),
    ...(options.through ?? []),
    node.path,
    ...(options.execArgv ?? []),
    resolve(fixtures, fixture),
    ...args,
  ];
  const begin = performance.now();
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: {
      ...process.env,
      REPORT_FD: String(REPORT_FD),
      DEADMAN_FD: String(DEADMAN_FD),
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}).end(options.input);
  const launched = finish(child, begin, options);
  launched.catch(() => {});
  return {
    process: child,
    probe: new Probe(
      child.stdio[REPORT_FD] as Readable,
      child.stdio[DEADMAN_FD] as Writable,
    ),
    launched,
  };
}

async function finish(
  child: ChildProcess,
  begin: number,
  { pty, until = 'close', timeout = DEADLINE }: LaunchOptions,
): Promise<Launched> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  const exit = once(child, 'exit');
  // The child's own 'close' would wait for the report pipe as well.
  const over =
    until === 'exit'
      ? exit
      : Promise.all([
          exit,
          once(child.stdout!, 'close'),
          once(child.stderr!, 'close'),
        ]);
  try {
    await within(timeout, `the ${until} of the launching process`, over);
  } catch (error) {
    child.kill(pty ? 'SIGTERM' : 'SIGKILL');
    throw new Error(
      `status ${child.exitCode}, output ${JSON.stringify(text)}`,
      { cause: error },
    );
  }
  const ms = performance.now() - begin;
  // What was written before the exit is in the pipes: one turn of the event
  // loop after this one reads it.
  await setImmediate();
  await setImmediate();
  return {
    status: child.exitCode,
    signal: child.signalCode,
    stdout: pty ? text.stdout.replaceAll('\r\n', '\n') : text.stdout,
    stderr: text.stderr,
    ms,
  };
}

/**
 * Runs a launching process to its end, then lets every daemon that it left
 * go and waits for that: for launches whose result is all that matters.
 */
export function launch(
  node: TestNode,
  fixture: string,
  args: readonly string[] = [],
  options: LaunchOptions = {},
): Promise<Launched> {
  return withDaemon(node, fixture, args, options, (_, launched) => launched);
}

/**
 * Runs a launching process to its end and hands the daemon that it left to
 * `use`; afterwards the daemon is let go, and its end is waited for.
 */
export function withDaemon<T>(
  node: TestNode,
  fixture: string,
  args: readonly string[],
  options: LaunchOptions,
  use: (probe: Probe, launched: Launched) => Promise<T> | T,
): Promise<T> {
  return withLaunching(
    start(node, fixture, args, options),
    async ({ probe, launched }) => use(probe, await launched),
  );
}

/** As `withDaemon`, from the start of the launching process on. */
export async function withLaunching<T>(
  launching: Launching,
  use: (launching: Launching) => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await use(launching);
  } catch (error) {
    await launching.probe.end().catch(() => {}); // the first failure tells more
    throw error;
  }
  await launching.probe.end();
  return result;
}

/** @throws {Error} the promise did not settle within `ms` */
export async function within<T>(
  ms: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${ms} ms for ${what}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
