import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

/** What /proc/PID/status says of one thread. */
export type Status = Record<string, string>;

/** Of each thread of a process that runs, as the kernel tells another one. */
export function readThreads(pid: number): Status[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) =>
    Object.fromEntries(
      readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/:\s*/, 2) as [string, string]),
    ),
  );
}

/** No thread of the process is, or may do, more than this user. */
export function assertUnprivileged(
  pid: number,
  { uid, gid, groups }: { uid: number; gid: number; groups: number[] },
): void {
  const four = (id: number): string => Array(4).fill(id).join('\t');
  const none = '0'.repeat(16);
  for (const thread of readThreads(pid)) {
    const { Uid, Gid, Groups, CapInh, CapPrm, CapEff, CapAmb } = thread;
    assert.deepEqual(
      { Uid, Gid, Groups, CapInh, CapPrm, CapEff, CapAmb },
      {
        Uid: four(uid),
        Gid: four(gid),
        Groups: groups.join(' '),
        CapInh: none,
        CapPrm: none,
        CapEff: none,
        CapAmb: none,
      },
      thread.Name,
    );
  }
}
