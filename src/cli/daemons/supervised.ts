/** What `run --respawn` says of the command that it keeps running. */
import { constants } from 'node:os';
import { inspectPidfile } from '../../pidfile-state';
import { readStat, readStatus, ticksPerSecond } from '../../process-identity';
import { readMemory } from '../../status';
import {
  readState,
  stateFileOf,
  type SupervisorState,
} from '../../supervisor/state';

export interface Supervised {
  /** null where only the PID file tells of it. */
  restarts: number | null;
  /** Of the command; null while it waits to be started again. */
  pid: number | null;
  /** CPU time in ms, and resident memory in bytes; 0 without a process. */
  cpu: number;
  memory: number;
}

/** @returns undefined where nothing is supervised */
export function findSupervised(pidfile: string): Supervised | undefined {
  const state = readState(stateFileOf(pidfile));
  const pid = state ? state.childPid : childIn(pidfile);
  if (pid === undefined) return undefined;
  const restarts = state?.restarts ?? null;
  return { restarts, pid, ...(pid === null ? nothing : measure(pid)) };
}

/** Of a supervisor that may not write beside its PID file, such as a user's. */
function childIn(pidfile: string): number | null | undefined {
  try {
    const found = inspectPidfile(pidfile);
    if (found.state !== 'held' || !found.content) return undefined;
    const { pid, child } = found.content;
    const isIts = child && readStatus(child, 'PPid') === String(pid);
    return child && !isIts ? null : child;
  } catch {
    return undefined; // not to be read: the state says so
  }
}

/** Why a supervisor left; undefined where none has, or where it was stopped. */
export function whyLeft(pidfile: string): string | undefined {
  const { ended, lastExit, restarts } = readState(stateFileOf(pidfile)) ?? {};
  const how = lastExit && howEnded(lastExit);
  if (!how) return undefined;
  if (ended === 'final') return `not started again: it ended with ${how}`;
  return ended === 'limit'
    ? `given up, restarts: ${restarts}; it ended with ${how}`
    : undefined;
}

/** Nothing that a terminal would do more with than show it. */
function howEnded({ exitCode, signal, at }: LastExit): string | undefined {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return undefined;
  const isSignal = signal !== null && Object.hasOwn(constants.signals, signal);
  const how = isSignal ? signal : `status ${Number(exitCode)}`;
  return `${how} at ${time.toISOString()}`;
}

type LastExit = NonNullable<SupervisorState['lastExit']>;

const nothing = { cpu: 0, memory: 0 };

function measure(pid: number): typeof nothing {
  return {
    cpu: ((readStat(pid)?.cpu ?? 0) * 1000) / ticksPerSecond,
    memory: readMemory(pid) ?? 0,
  };
}
