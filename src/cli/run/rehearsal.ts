/**
 * Whether a command could be started, tried without leaving a trace: for
 * `--dry-run`, and before `restart` ends what runs.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PosixError } from '../../errors';
import type { Target } from '../../options';
import { assertForkable } from '../../posix/fork';
import { onFile, openSafely } from '../../safe-file';
import { Run, type Step } from '../../step';
import { runStep } from '../../step-runner';
import { assertExecutable, isLink } from './command';
import { explainExec } from './exec-error';
import type { Plan } from './plan';
import { stepsOf } from './steps';

const { O_APPEND, O_NOCTTY, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const { R_OK, W_OK, X_OK } = constants;
const appending = O_WRONLY | O_APPEND;

/** What changes nothing but this process. */
const taken = ['users', 'chroot', 'chdir', 'privileges'];

/**
 * Opens what is there, looks whether what is not could be made, and goes where
 * the command would be, as the user that it would be. The PID files may be held:
 * the daemon may run. **This process can only end afterwards.**
 * @throws {Failure} | {DaemonError} | {PosixError} as a start would
 */
export function rehearse(plan: Plan): void {
  if (plan.settings.detach) assertForkable();
  const run = new Run(plan.settings);
  const { before, after } = stepsOf(plan);
  take(run, before);
  for (const [fd, target] of plan.settings.targets.entries())
    tryTarget(target, fd);
  tryPidfiles(plan, run.privileges?.uid);
  if (plan.chmod !== undefined) assertExecutable(plan.chmod);
  take(run, after);
  tryCommand(plan);
}

function take(run: Run, steps: readonly Step[]): void {
  for (const step of steps) if (taken.includes(step.name)) runStep(run, step);
}

function tryTarget(target: Target, fd: number): void {
  if (typeof target === 'number') return;
  const { path, mkdir = false } =
    typeof target === 'string' ? { path: target } : target;
  if (['null', 'inherit', 'syslog'].includes(path)) return;
  const file = resolve(path);
  if (fd === 0) tryOpening(file, O_RDONLY);
  else ifMissing(file, mkdir, () => tryOpening(file, appending));
}

/** A device or a FIFO would notice that somebody opens it. */
function tryOpening(path: string, flags: number): void {
  onFile(path, () => {
    const stats = statSync(path);
    const mode = flags === O_RDONLY ? R_OK : W_OK;
    if (!stats.isFile() && !stats.isDirectory()) return accessSync(path, mode);
    closeSync(openSync(path, flags | O_NOCTTY));
  });
}

function tryPidfiles(
  { settings: { pidfile }, respawn }: Plan,
  uid?: number,
): void {
  const owners = [0, process.geteuid!(), ...(uid === undefined ? [] : [uid])];
  for (const path of [pidfile?.path, respawn?.childPidfile]) {
    if (path === undefined) continue;
    const file = resolve(path);
    ifMissing(file, pidfile?.mkdir ?? false, () =>
      closeSync(openSafely(file, O_RDWR, undefined, owners)),
    );
  }
}

/** @param open what fails with `ENOENT` where the file is still to be made */
function ifMissing(path: string, mkdir: boolean, open: () => void): void {
  try {
    open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    assertRoom(path, mkdir);
  }
}

/** @param mkdir whether directories on the way would be made */
function assertRoom(path: string, mkdir: boolean): void {
  const file = isLink(path) ? resolve(dirname(path), readlinkSync(path)) : path;
  let folder = dirname(file);
  while (mkdir && folder !== '/' && !isThere(folder)) folder = dirname(folder);
  try {
    accessSync(`${folder}/.`, W_OK | X_OK);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new PosixError(errno!, 'open', path);
  }
}

const isThere = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false }) !== undefined;

/** By the user that it would run as, below the new root directory. */
function tryCommand({ command: { file }, chmod }: Plan): void {
  try {
    // Whoever may read it will be able to execute it.
    accessSync(file, chmod === undefined ? X_OK : R_OK);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw explainExec(new PosixError(errno!, 'execve', file));
  }
}
