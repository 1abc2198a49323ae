import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LaunchOptions,
  type Launching,
  start,
  withLaunching,
} from './launch';
import { nodes } from './nodes';
import { withFolder } from './scenario';

/** An error as `fixtures/pidfile.cjs` reports it. */
export interface Failure {
  code: string;
  message: string;
  pid?: number;
  path?: string;
}

/** Starts a scenario of `fixtures/pidfile.cjs`. */
export function startScenario(
  args: readonly string[],
  options: LaunchOptions = {},
  [node] = nodes,
): Launching {
  return start(node, 'pidfile.cjs', args, options);
}

/** Plays a scenario until `use` is done. */
export function play<T>(
  args: readonly string[],
  use: (launching: Launching) => Promise<T>,
  ...more: [options?: LaunchOptions, on?: typeof nodes]
): Promise<T> {
  return withLaunching(startScenario(args, ...more), use);
}

/** The first thing that a scenario reports. */
export function told<T>(
  args: readonly string[],
  options?: LaunchOptions,
): Promise<T> {
  return play(args, ({ probe }) => probe.next<T>(), options);
}

/** A path for a PID file, in a new folder for the time of `use`. */
export function withPath(
  use: (path: string, folder: string) => Promise<void> | void,
): Promise<void> {
  return withFolder(async (folder) => {
    chmodSync(folder, 0o755);
    await use(join(folder, 'x.pid'), folder);
  });
}

/** What open() throws where another process has the lock. */
export const alreadyRunning = (path: string, pid: number | undefined) => ({
  name: 'DaemonError',
  code: 'ERR_DAEMON_ALREADY_RUNNING',
  path,
  pid,
});

export const text = (path: string): string => readFileSync(path, 'utf8');

/** With its newline: what follows it tells more than the pid. */
export const firstLine = (path: string): string =>
  /^.*\n?/.exec(text(path))![0];

/** Exit status and output of a program. */
export function run(
  command: string,
  ...args: string[]
): [status: number | null, output: string] {
  const { status, stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
  });
  if (error) throw error;
  return [status, stdout.trim()];
}
