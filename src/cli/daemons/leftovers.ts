/** The files that a supervisor leaves behind which was killed. */
import { existsSync, rmSync } from 'node:fs';
import { Pidfile } from '../../pidfile';
import { removeStale } from '../../pidfile-claim';
import { inspectPidfile } from '../../pidfile-state';
import { readState, stateFileOf } from '../../supervisor/state';
import type { Managed } from './managed';
import { supervisorOf } from './supervisor';

/**
 * Removes PID files of processes that are gone, by lock and identity, and what
 * the supervisor has told of itself. Where it lives, or left in order and tells
 * why, nothing is touched; nor what this user may not.
 */
export function sweepLeftovers(daemon: Managed): void {
  const { pidfile } = daemon;
  const child = supervisorOf(daemon)?.childPidfile;
  if (child !== undefined && isStale(child)) takeOver(child);
  const state = stateFileOf(pidfile);
  const isTold = readState(state)?.ended === null;
  // A start that was refused, for the command goes on, has taken the file away.
  if (isStale(pidfile) || (isTold && !existsSync(pidfile)))
    takeOver(pidfile, () => {
      if (isTold) rmSync(state);
    });
}

function isStale(path: string): boolean {
  try {
    const found = inspectPidfile(path);
    return found.state === 'free' && found.content?.identity !== undefined;
  } catch {
    return false; // no PID file, or not to be read
  }
}

/** Of a supervisor that has given up root, and may not remove its file. */
export function sweepEmpty(path: string): void {
  try {
    const found = inspectPidfile(path);
    if (found.state === 'free') removeStale(path, 0, found.file);
  } catch {
    // No PID file, or not to be read.
  }
}

/** To remove it: nobody starts meanwhile, so nothing of the next one is hit. */
function takeOver(path: string, removeMore: () => void = () => {}): void {
  try {
    const stale = Pidfile.open(path);
    try {
      removeMore();
    } finally {
      stale.remove();
    }
  } catch {
    // Another user's, or somebody has just started.
  }
}
