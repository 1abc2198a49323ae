/**
 * Users and groups, as the name service (NSS) of this machine answers: from
 * /etc/passwd and /etc/group, or from a directory in the network. The calling
 * thread waits for the answer.
 */
import { binding } from '../binding';
import { check } from '../errors';

/** The user's entry, or what of it matters here. */
export interface User {
  name: string;
  uid: number;
  /** The primary group. */
  gid: number;
}

/** The group's entry, without its members. */
export interface Group {
  name: string;
  gid: number;
}

/**
 * @returns undefined where there is no such user
 * @throws {PosixError} the name service could not tell
 * @see POSIX.1-2017 getpwnam_r(), getpwuid_r()
 */
export function findUser(user: string | number): User | undefined {
  const named = typeof user === 'string';
  const [found, name, uid, gid] = named
    ? binding.getpwnam(user)
    : binding.getpwuid(user);
  return check(found, named ? 'getpwnam' : 'getpwuid') === 1
    ? { name, uid, gid }
    : undefined;
}

/**
 * @returns undefined where there is no such group
 * @throws {PosixError} the name service could not tell
 * @see POSIX.1-2017 getgrnam_r()
 */
export function findGroup(group: string): Group | undefined {
  const [found, name, gid] = binding.getgrnam(group);
  return check(found, 'getgrnam') === 1 ? { name, gid } : undefined;
}

/**
 * The ids of the groups that the user of this name is in, and `gid`.
 * @see getgrouplist(3)
 */
export function getgrouplist(name: string, gid: number): number[] {
  return binding.getgrouplist(name, gid);
}
