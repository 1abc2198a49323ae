/** What `run --respawn` says of the command that it keeps running. */
import { readFileSync } from 'node:fs';
import { readStat, ticksPerSecond } from '../../process-identity';
import { readStatus } from '../../status';

export interface Supervised {
  restarts: number;
  /** Of the command; null while it waits to be started again. */
  pid: number | null;
  /** CPU time in ms, and resident memory in bytes; 0 without a process. */
  cpu: number;
  memory: number;
}

/** @returns undefined where nothing is supervised, or the file is unreadable */
export function findSupervised(pidfile: string): Supervised | undefined {
  const file = `${pidfile.replace(/\.pid$/, '')}.state`;
  try {
    const { restarts, childPid: pid } = JSON.parse(
      readFileSync(file, 'utf8'),
    ) as { restarts: number; childPid: number | null };
    return { restarts, pid, ...(pid === null ? nothing : measure(pid)) };
  } catch {
    return undefined;
  }
}

const nothing = { cpu: 0, memory: 0 };

function measure(pid: number): typeof nothing {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readStatus(pid))?.[1];
  return {
    cpu: ((readStat(pid)?.cpu ?? 0) * 1000) / ticksPerSecond,
    memory: Number(kilobytes ?? 0) * 1024,
  };
}
