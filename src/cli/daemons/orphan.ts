/** A command that lives on when its supervisor was killed: `--orphan keep`. */
import { statusOf } from '../../control';
import { readState, stateFileOf } from '../../supervisor/state';
import type { Managed, Supervisor } from './managed';
import { supervisorOf } from './supervisor';

export interface Orphan {
  pid: number;
  /** Its own. */
  pidfile: string;
  /** The one that it has lost. */
  supervisor: Supervisor;
}

/**
 * @returns undefined where there is none, or the supervisor lives
 * @throws as `statusOf`
 */
export function findOrphan(daemon: Managed): Orphan | undefined {
  if (mayLive(daemon)) return undefined;
  const supervisor = supervisorOf(daemon);
  if (!supervisor) return undefined;
  const { childPidfile: pidfile } = supervisor;
  const { pid } = statusOf(pidfile);
  // A supervisor has its own file first: none has started just now.
  if (pid === undefined || mayLive(daemon)) return undefined;
  if (!daemon.supervisor && !isTold(daemon, pid)) return undefined;
  return { pid, pidfile, supervisor };
}

function mayLive({ pidfile }: Managed): boolean {
  const { state } = statusOf(pidfile);
  return state === 'running' || state === 'unknown';
}

/** By its place alone the PID file could be any daemon's. */
const isTold = ({ pidfile }: Managed, pid: number): boolean =>
  readState(stateFileOf(pidfile))?.childPid === pid;
