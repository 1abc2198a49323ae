/** What `run --respawn` says of the command that it keeps running. */
import { readStat, ticksPerSecond } from '../../process-identity';
import { readMemory } from '../../status';
import { readState, stateFileOf } from '../../supervisor/state';

export interface Supervised {
  restarts: number;
  /** Of the command; null while it waits to be started again. */
  pid: number | null;
  /** CPU time in ms, and resident memory in bytes; 0 without a process. */
  cpu: number;
  memory: number;
}

/** @returns undefined where nothing is supervised */
export function findSupervised(pidfile: string): Supervised | undefined {
  const state = readState(stateFileOf(pidfile));
  if (!state) return undefined;
  const { restarts, childPid: pid } = state;
  return { restarts, pid, ...(pid === null ? nothing : measure(pid)) };
}

const nothing = { cpu: 0, memory: 0 };

function measure(pid: number): typeof nothing {
  return {
    cpu: ((readStat(pid)?.cpu ?? 0) * 1000) / ticksPerSecond,
    memory: readMemory(pid) ?? 0,
  };
}
