/**
 * Which process a pid means. The kernel gives a pid to another process once the
 * first is gone; pid, start time and boot together are given once only.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { getpid } from './posix/session';

/** With the pid: one process, among all that there are and have been. */
export interface ProcessIdentity {
  /** When it started, in clock ticks since boot: field 22 of /proc/PID/stat. */
  start: number;
  /** Of this run of the machine: /proc/sys/kernel/random/boot_id. */
  boot: string;
}

/** What /proc/PID/stat says of a process; times in clock ticks. */
export interface ProcessStat {
  /** Whether it runs no more, and only waits to be reaped. */
  isZombie: boolean;
  /** User and system time. */
  cpu: number;
  threads: number;
  start: number;
}

/** USER_HZ of the kernel, on every CPU that we are built for. */
export const ticksPerSecond = 100;

/**
 * Who a process is.
 * @returns undefined where there is none, or /proc does not tell: it is not
 *   mounted, of another PID namespace, or hides it (`hidepid` of proc(5))
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const boot = readBoot();
  const start = readStat(pid)?.start;
  return start === undefined || boot === undefined
    ? undefined
    : { start, boot };
}

/**
 * Whether a process still runs. A pid that is another process's by now, a zombie
 * and one from before the machine was started again are gone.
 * @returns `'unknown'` where /proc does not tell, see {@link identify}
 */
export function recognise(
  pid: number,
  { start, boot }: ProcessIdentity,
): 'alive' | 'gone' | 'unknown' {
  const now = readBoot();
  if (now !== undefined && now !== boot) return 'gone';
  const stat = readStat(pid);
  if (stat && now !== undefined)
    return stat.start === start && !stat.isZombie ? 'alive' : 'gone';
  return isTaken(pid) ? 'unknown' : 'gone';
}

/** @returns undefined as {@link identify} */
export function readStat(pid: number): ProcessStat | undefined {
  if (!showsOurProcesses()) return undefined;
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name, which comes first, may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const threads = field(20);
  return {
    // Its first thread alone may have ended: pthread_exit(3).
    isZombie: /[ZX]/.test(fields[0]!) && threads <= 1,
    cpu: field(14) + field(15),
    threads,
    start: field(22),
  };
}

/**
 * What /proc/PID/status says by this name.
 * @returns undefined as {@link identify}
 */
export function readStatus(pid: number, name: string): string | undefined {
  if (!showsOurProcesses()) return undefined;
  const text = read(`/proc/${pid}/status`) ?? '';
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1];
}

let boot: string | undefined;

/** Kept: below a chroot there may be no /proc. */
function readBoot(): string | undefined {
  return (boot ??= read('/proc/sys/kernel/random/boot_id')?.trim());
}

/** The /proc of another PID namespace has other processes under our pids. */
function showsOurProcesses(): boolean {
  try {
    return readlinkSync('/proc/self') === String(getpid());
  } catch {
    return false;
  }
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // gone meanwhile, or not to be seen
  }
}
