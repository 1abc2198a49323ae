/** Programs of `fixtures/daemon.cjs`, before they are daemons and after it. */
import assert from 'node:assert/strict';
import type { Launched, LaunchOptions, Probe, Report } from './launch';
import type { Program } from './programs';

export interface Self extends Report {
  nodePpid: number;
  nodeCwd: string;
  heapLimit: number;
  env: Record<string, string>;
  context: { pid: number; detached: boolean };
}

/** A report of reaper.py. */
export interface End {
  orphan: number;
  status?: number;
  signal?: number;
}

/** Becomes a daemon with these options; looks at it before and after. */
export function become<T = void>(
  program: Program,
  options: object,
  use: (daemon: Self, before: Self, launched: Launched) => T | Promise<T>,
  launch: LaunchOptions = {},
): Promise<T> {
  return program.play('become', [options], launch, async (probe, launched) => {
    const before = await nextOf(probe);
    const daemon = await nextOf(probe);
    assert.equal(launched.status, 0, launched.stderr + launched.stdout);
    return use(daemon, before, launched);
  });
}

/** The next report that is not of reaper.py. */
export async function nextOf(probe: Probe): Promise<Self> {
  for (;;) {
    const report = await probe.next<Self>();
    if (!isEnd(report)) return report;
  }
}

/** How a process ended, among what reaper.py and others reported. */
export function endOf({ pid }: Self, reports: unknown[]): End | undefined {
  return reports.filter(isEnd).find(({ orphan }) => orphan === pid);
}

export function isEnd(report: unknown): report is End {
  return typeof report === 'object' && report !== null && 'orphan' in report;
}
