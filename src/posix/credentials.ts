/** Who this process is for the kernel, in every thread of it. */
import { readFileSync } from 'node:fs';
import { binding } from '../binding';
import { check } from '../errors';

/** An id of the calls below that stays as it is. */
const unchanged = 0xffffffff;

/** How long one thread may take to give up its capabilities, in ms. */
const patience = 1000;

/** Of a thread, in the words of /proc/PID/status. */
export interface Credentials {
  Name: string;
  Pid: number;
  /** Real, effective, saved, of the file system. */
  Uid: number[];
  Gid: number[];
  /** Ascending. */
  Groups: number[];
  CapInh: bigint;
  CapPrm: bigint;
  CapEff: bigint;
  CapAmb: bigint;
}

/**
 * A descriptor of /proc: with it the other calls work in a chroot without a
 * /proc, and in a process that was forked since. Close it: who holds a directory
 * outside can leave a chroot.
 * @throws {PosixError} `ENOENT` /proc is not mounted
 */
export function openProc(): number {
  return check(binding.openProc(), 'open', '/proc');
}

/**
 * The credentials of every thread of this process.
 * @throws {PosixError} they cannot be read
 */
export function listCredentials(proc: number): Credentials[] {
  const [result, statuses] = binding.threadStatuses(proc);
  check(result, 'read', '/proc/self/task');
  return statuses.map(readStatus);
}

function readStatus(status: string): Credentials {
  const fields = new Map(
    status.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/:[\t ]*/, 2);
      return [name, value];
    }),
  );
  const text = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`no ${name} in a status of /proc`);
    return value;
  };
  const numbers = (name: string): number[] =>
    text(name).split(/\s+/).filter(Boolean).map(Number);
  const set = (name: string): bigint => BigInt(`0x${text(name)}`);
  return {
    Name: text('Name'),
    Pid: Number(text('Pid')),
    Uid: numbers('Uid'),
    Gid: numbers('Gid'),
    Groups: numbers('Groups').sort((a, b) => a - b),
    CapInh: set('CapInh'),
    CapPrm: set('CapPrm'),
    CapEff: set('CapEff'),
    CapAmb: set('CapAmb'),
  };
}

/**
 * Sets the supplementary groups of every thread.
 * @throws {PosixError} `EPERM` without CAP_SETGID, or where the user namespace
 *   forbids it; `EINVAL` more than 65536
 * @see setgroups(2)
 */
export function setgroups(groups: readonly number[]): void {
  check(binding.setgroups(groups), 'setgroups');
}

/**
 * Sets the real, effective and saved group id of every thread.
 * @throws {PosixError} `EPERM` without CAP_SETGID; `EINVAL` the user namespace has
 *   no such id
 * @see setresgid(2)
 */
export function setgid(gid: number): void {
  check(binding.setresgid(gid, gid, gid), 'setresgid');
}

/**
 * Sets the real, effective and saved user id of every thread.
 * @throws {PosixError} `EPERM` without CAP_SETUID; `EINVAL` the user namespace has
 *   no such id; `EAGAIN` the kernel lacks memory
 * @see setresuid(2)
 */
export function setuid(uid: number): void {
  check(binding.setresuid(uid, uid, uid), 'setresuid');
}

/**
 * Empties the capability sets of every thread that can be reached, all but the
 * bounding set, whatever SECBIT_KEEP_CAPS and its kind say.
 * @throws {PosixError} the kernel refuses
 * @see capset(2)
 */
export function dropCapabilities(proc: number): void {
  check(binding.dropCapabilities(proc, patience), 'capset');
}

/**
 * Tries to become root again, by each id and the groups.
 * @returns the call that succeeded; it has been taken back
 */
export function tryRegaining(credentials: Credentials): string | undefined {
  const [uid = unchanged] = credentials.Uid;
  const [gid = unchanged] = credentials.Gid;
  if (binding.setgroups(credentials.Groups) >= 0) return 'setgroups';
  if (gid !== 0 && binding.setresgid(unchanged, 0, unchanged) >= 0) {
    binding.setresgid(unchanged, gid, unchanged);
    return 'setegid(0)';
  }
  if (binding.setresuid(unchanged, 0, unchanged) < 0) return undefined;
  binding.setresuid(unchanged, uid, unchanged);
  return 'seteuid(0)';
}

/** Whether two lists of groups mean the same ones. */
export function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  const both = new Set([...a, ...b]);
  return both.size === new Set(a).size && both.size === new Set(b).size;
}

/** Whether the thread may use a capability, numbered as in capabilities(7). */
export function isCapable(
  { CapEff }: Credentials,
  capability: number,
): boolean {
  return ((CapEff >> BigInt(capability)) & 1n) !== 0n;
}

/** Whether this user namespace knows the id: elsewhere than in a container, yes. */
export function isMapped(kind: 'uid' | 'gid', id: number): boolean {
  return readFileSync(`/proc/self/${kind}_map`, 'utf8')
    .trim()
    .split('\n')
    .some((line) => {
      const [first = 0, , length = 0] = line.trim().split(/\s+/).map(Number);
      return id >= first && id < first + length;
    });
}

/** Whether this user namespace forbids setgroups(2): user_namespaces(7). */
export function isSetgroupsDenied(): boolean {
  return readFileSync('/proc/self/setgroups', 'utf8').trim() === 'deny';
}
