/** How daemons are: for `list` and `status`. */
import { statusOf } from '../../control';
import { formatBytes, formatDuration } from '../quantities';
import { formatTable } from '../table';
import { paint, type Style } from '../terminal';
import type { Managed } from './managed';
import { findOrphan } from './orphan';
import { findSupervised, whyLeft } from './supervised';

/**
 * As `--json` prints it, one for each daemon. What is not known is null. Keys are
 * only ever added.
 */
export interface Report {
  name: string;
  state: 'running' | 'stopped' | 'stale' | 'unknown';
  pid: number | null;
  /** ISO 8601. */
  since: string | null;
  /** ms */
  uptime: number | null;
  /** Percent of one CPU over the whole life, as ps(1) has it. */
  cpu: number | null;
  /** Resident, in bytes. */
  memory: number | null;
  threads: number | null;
  /** The command under a supervisor; `cpu` and `memory` are of both. */
  childPid: number | null;
  /** Of what a supervisor restarts; null where there is none. */
  restarts: number | null;
  /** Whether it says that it is up; null where it says nothing of that. */
  ready: boolean | null;
  pidfile: string;
  /** Why the state is not known, or why no supervisor is there any more. */
  reason: string | null;
}

export function reportOn(daemon: Managed): Report {
  const { name, pidfile } = daemon;
  const { state, pid, since, uptime, cpu, ...more } = look(pidfile);
  const mayLive = state === 'running' || state === 'unknown';
  const orphan = mayLive ? undefined : lookForOrphan(daemon);
  const child = state === 'running' ? findSupervised(pidfile) : undefined;
  const share =
    cpu !== undefined && uptime
      ? (100 * (cpu + (child?.cpu ?? 0))) / uptime
      : undefined;
  return {
    name,
    state: orphan === undefined ? state : 'stale',
    pid: pid ?? null,
    since: since?.toISOString() ?? null,
    uptime: uptime === undefined ? null : Math.round(uptime),
    cpu: share === undefined ? null : Math.round(share * 10) / 10,
    memory:
      more.memory === undefined ? null : more.memory + (child?.memory ?? 0),
    threads: more.threads ?? null,
    childPid: child?.pid ?? orphan ?? null,
    restarts: child?.restarts ?? null,
    ready: more.ready ?? null,
    pidfile,
    reason:
      orphan === undefined
        ? (more.reason ?? (pid ? null : (whyLeft(pidfile) ?? null)))
        : `process ${orphan} goes on without its supervisor, which was killed`,
  };
}

/** One that cannot be asked must not keep the others from being shown. */
function look(pidfile: string): ReturnType<typeof statusOf> {
  try {
    return statusOf(pidfile);
  } catch (error) {
    return { state: 'unknown', reason: (error as Error).message };
  }
}

/** What cannot be told of it does not hide what can be of the daemon. */
function lookForOrphan(daemon: Managed): number | undefined {
  try {
    return findOrphan(daemon)?.pid;
  } catch {
    return undefined;
  }
}

const styles: Readonly<Record<Report['state'], Style>> = {
  running: 'green',
  stopped: 'dim',
  stale: 'red',
  unknown: 'yellow',
};

/** The table; reasons are told below it. */
export function formatReports(reports: readonly Report[]): string {
  const head = ['NAME', 'STATE', 'PID', 'UPTIME', 'CPU', 'MEMORY', 'RESTARTS'];
  const bold = head.map((word) => paint(1, 'bold', word));
  const rows = reports.map((report) => [
    report.name,
    paint(1, styles[report.state], stateOf(report)),
    shown(report.pid, String),
    shown(report.uptime, formatDuration),
    shown(report.cpu, (cpu) => `${cpu.toFixed(1)}%`),
    shown(report.memory, formatBytes),
    shown(report.restarts, String),
  ]);
  return formatTable([bold, ...rows]);
}

/** A supervisor without a command waits to start it again. */
function stateOf({ state, ready, restarts, childPid }: Report): string {
  if (state !== 'running') return state;
  if (restarts !== null && childPid === null) return 'restarting';
  return ready === false ? 'starting' : state;
}

const shown = (
  value: number | null,
  format: (value: number) => string,
): string => (value === null ? '-' : format(value));
