import { execFile } from 'node:child_process';
import type { Report } from './launch';
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
      else reject(error!);
    });
  });
}
