/** How a daemon is, seen from outside, by its PID file. */
import { validatePidfilePath } from './pidfile-options';
import { inspectPidfile, type PidfileState } from './pidfile-state';
import { boottime } from './posix/pidfd';
import { readStat, readStatus, ticksPerSecond } from './process-identity';

/**
 * How a daemon is. What follows `pid` is there where the daemon runs and the
 * kernel tells.
 */
export interface DaemonStatus {
  /**
   * `'stopped'`: there is no PID file. `'stale'`: there is one, and nobody holds
   * it. `'unknown'`: it cannot be told, see `reason`.
   */
  state: 'running' | 'stopped' | 'stale' | 'unknown';
  pid?: number;
  /** When the process was started. */
  since?: Date;
  /** How long ago, in ms, with the time that the machine was suspended. */
  uptime?: number;
  /** Resident memory, in bytes. */
  memory?: number;
  /** CPU time used so far, user and system, in ms. */
  cpu?: number;
  threads?: number;
  /** Whether it says that it is up; absent where it says nothing of that. */
  ready?: boolean;
  /** Why the state is unknown. */
  reason?: string;
}

const millisecondsPerTick = 1000 / ticksPerSecond;
const bytesPerKilobyte = 1024;

type Held = Extract<PidfileState, { state: 'held' }>;

/**
 * How the daemon with this PID file is. Takes no lock, and sends no signal.
 * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE` it cannot be a PID file
 * @throws {PosixError} errors of open(2) but `ENOENT`, which is `'stopped'`, and
 *   `EACCES`, which is `'unknown'`
 */
export function statusOf(pidfile: string): DaemonStatus {
  validatePidfilePath(pidfile);
  let found: PidfileState;
  try {
    found = inspectPidfile(pidfile);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES') throw error;
    return { state: 'unknown', reason: message };
  }
  switch (found.state) {
    case 'absent':
      return { state: 'stopped' };
    case 'free':
      return { state: 'stale' };
    case 'unknown':
      return { state: 'unknown', reason: found.reason };
    case 'held': {
      const { pid, content } = found;
      const ready = content?.note && { ready: content.note.ready > 0 };
      return { state: 'running', pid, ...measure(found), ...ready };
    }
  }
}

function measure({ pid, content }: Held): Partial<DaemonStatus> {
  const stat = readStat(pid);
  const memory = readMemory(pid);
  const start = content?.identity?.start ?? stat?.start;
  // It may have ended since we looked.
  if (!stat || stat.start !== start) return {};
  const uptime = Math.max(0, boottime() - start * millisecondsPerTick);
  return {
    since: new Date(Date.now() - uptime),
    uptime,
    ...(memory !== undefined && { memory }),
    cpu: stat.cpu * millisecondsPerTick,
    threads: stat.threads,
  };
}

/** Resident, in bytes. */
export function readMemory(pid: number): number | undefined {
  const kilobytes = /^\d+/.exec(readStatus(pid, 'VmRSS') ?? '')?.[0];
  return kilobytes === undefined
    ? undefined
    : Number(kilobytes) * bytesPerKilobyte;
}
