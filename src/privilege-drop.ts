/**
 * Giving up privileges, in the order that cannot be undone, and the proof that
 * they are gone: docs/privileges.md.
 */
import { DaemonError } from './errors';
import {
  type Credentials,
  dropCapabilities,
  isSameSet,
  listCredentials,
  openProc,
  setgid,
  setgroups,
  setuid,
  tryRegaining,
} from './posix/credentials';
import { close } from './posix/descriptors';
import type { Privileges } from './privileges';

const capabilitySets = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'] as const;

/**
 * Holds on to /proc, so that the proof can be given in a chroot that has none.
 * Made before chroot(2), before a fork or after; {@link dropPrivileges} ends it.
 */
export class PrivilegeCheck {
  #proc: number;

  /** @throws {PosixError} `ENOENT` /proc is not mounted */
  constructor() {
    this.#proc = openProc();
  }

  /** @internal */
  get proc(): number {
    return this.#proc;
  }

  /** Lets go of /proc: who has a directory outside can leave a chroot. */
  close(): void {
    if (this.#proc !== -1) close(this.#proc);
    this.#proc = -1;
  }
}

/**
 * Gives up privileges for good, in every thread: supplementary groups, group,
 * user, in this order, for who is not root any more may not change groups. If
 * the user is not root, the capabilities go as well: inheritable and ambient
 * ones, and what SECBIT_KEEP_CAPS or SECBIT_NO_SETUID_FIXUP would have left. Then
 * {@link verifyPrivileges} looks.
 *
 * **If it throws, the process is in between and must end.**
 * @param privileges what {@link lookUpPrivileges} gave
 * @param check made before a chroot; it is closed
 * @throws {PosixError} `EPERM`, `EINVAL`, `EAGAIN`: setgroups, setresgid, setresuid
 * @throws {DaemonError} `ERR_DAEMON_PRIVILEGES_KEPT`
 * @see setuid(2), setgroups(2), capabilities(7); SEI CERT C POS36-C, POS37-C
 */
export function dropPrivileges(
  privileges: Privileges,
  check = new PrivilegeCheck(),
): void {
  const { uid, gid, groups } = privileges;
  try {
    // A process that has them already may lack the right to set them.
    const { proc } = check;
    const have = (thread: Credentials): boolean =>
      isSameSet(groups ?? [], thread.Groups);
    if (groups !== undefined && !listCredentials(proc).every(have))
      setgroups(groups);
    if (gid !== undefined) setgid(gid);
    if (uid !== undefined) setuid(uid);
    // A thread that has not become the user would not answer; it is found below.
    const threads = uid ? listCredentials(proc) : [];
    if (threads.every(({ Uid }) => Uid.every((id) => id === uid)))
      if (threads.some(hasCapability)) dropCapabilities(proc);
    verifyPrivileges(privileges, check);
  } finally {
    check.close();
  }
}

/**
 * Proves, thread by thread and from what the kernel says of each, that it is
 * what it was to become; where that is not root, also that no thread has a
 * capability and that the way back is closed, by trying it.
 *
 * A worker of io_uring counts as a thread: one that was started before works on
 * with the rights of that time.
 * @throws {DaemonError} `ERR_DAEMON_PRIVILEGES_KEPT`, with the thread and the field
 *   of its /proc/PID/status
 */
export function verifyPrivileges(
  { uid, gid, groups }: Privileges,
  check: PrivilegeCheck,
): void {
  const threads = listCredentials(check.proc);
  for (const thread of threads) {
    if (uid !== undefined && thread.Uid.some((id) => id !== uid))
      throw kept(thread, 'Uid', thread.Uid.join(' '));
    if (gid !== undefined && thread.Gid.some((id) => id !== gid))
      throw kept(thread, 'Gid', thread.Gid.join(' '));
    if (groups !== undefined && !isSameSet(groups, thread.Groups))
      throw kept(thread, 'Groups', thread.Groups.join(' '));
    if (!uid) continue;
    for (const set of capabilitySets)
      if (thread[set] !== 0n) throw kept(thread, set, thread[set].toString(16));
  }
  // In every thread too: the C library makes the calls there as well.
  const way = uid ? tryRegaining(threads[0]!) : undefined;
  if (way !== undefined) throw kept(threads[0]!, 'root again by', way);
}

function hasCapability(thread: Credentials): boolean {
  return capabilitySets.some((set) => thread[set] !== 0n);
}

function kept(
  { Name, Pid }: Credentials,
  field: string,
  value: string,
): DaemonError {
  return new DaemonError('ERR_DAEMON_PRIVILEGES_KEPT', {
    thread: Name,
    tid: Pid,
    field,
    kept: value,
  });
}
