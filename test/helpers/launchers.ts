import assert from 'node:assert/strict';
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type Report, within } from './launch';
import { type Reporter, type Skip, withReporter } from './surroundings';
import type { LauncherKind } from '../../src/surroundings';

/** ms for a command that controls a launcher */
const DEADLINE = 30_000;

/** What `test/fixtures/launchers.cjs` tells of itself. */
export interface Told extends Report {
  label: string;
  launcher: LauncherKind;
  detached: boolean;
  /** Before it called `daemonize`. */
  before: Report;
}

/** A test of the daemons that a launcher starts. */
export function withLauncher(
  title: string,
  options: Skip,
  use: (reporter: Reporter<Told>) => Promise<void>,
): void {
  withReporter(title, options, use, 'launchers.cjs');
}

/** Quoted for sh; no argument here contains a quote. */
export const quote = (command: readonly string[]): string =>
  command.map((word) => `'${word}'`).join(' ');

export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. */
export function run(...command: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    const options = { timeout: DEADLINE };
    execFile(program, args, options, (error, stdout, stderr) => {
      const status = error ? error.code : 0;
      if (typeof status === 'number') resolve({ status, stdout, stderr });
      else reject(new Error(`${program} did not end`, { cause: error }));
    });
  });
}

/** How a program that was started ends, once its output is closed as well. */
export async function ending(
  child: ChildProcess,
): Promise<[status: number | null, signal: NodeJS.Signals | null]> {
  const isOver =
    (child.exitCode !== null || child.signalCode !== null) &&
    [child.stdout, child.stderr].every((stream) => stream?.closed !== false);
  if (!isOver) {
    const close = once(child, 'close');
    await within(DEADLINE, 'the end of the launching program', close);
  }
  return [child.exitCode, child.signalCode];
}

export const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** In the background, as a shell's daemon is. */
export function expectDetached(told: Told, launcher = 'shell'): void {
  const { before, pid, sid, fds } = told;
  assert.deepEqual([told.launcher, told.detached], [launcher, true]);
  assert.notEqual(pid, before.pid);
  assert.notEqual(sid, before.sid);
  assert.notEqual(sid, pid, 'it leads its session');
  assert.equal(told.tty, null);
  assert.deepEqual([fds[0], fds[1], fds[2]], Array(3).fill('/dev/null'));
  assert.deepEqual([told.cwd, told.umask], ['/', 0]);
}

/** In the foreground, with all else done. */
export function expectStaying(told: Told, launcher: string): void {
  const { before, pid, sid, fds } = told;
  assert.deepEqual([told.launcher, told.detached], [launcher, false]);
  assert.deepEqual([pid, sid], [before.pid, before.sid]);
  for (const fd of [0, 1, 2]) assert.equal(fds[fd], before.fds[fd]);
  assert.deepEqual([told.cwd, told.umask], ['/', 0]);
}
