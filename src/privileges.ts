/**
 * Which user and groups a daemon shall have: names become numbers, and what the
 * process may not take is refused, before anything is done. A chroot or a fork
 * later cannot change the answer. privilege-drop.ts acts on it.
 */
import { DaemonError, invalidArgType, invalidArgValue } from './errors';
import {
  type Credentials,
  isCapable,
  isMapped,
  isSameSet,
  isSetgroupsDenied,
  listCredentials,
  openProc,
} from './posix/credentials';
import { close } from './posix/descriptors';
import { findGroup, findUser, getgrouplist } from './posix/users';
import {
  validateArray,
  validateBoolean,
  validateInteger,
  validateOptions,
  validateString,
} from './validate';

/** Who the daemon shall be. Names, or ids; text of digits that is no name is an id. */
export interface PrivilegeOptions {
  /** Becomes the real, effective and saved user. @defaultValue unchanged */
  user?: string | number;
  /**
   * Becomes the real, effective and saved group.
   * @defaultValue with `user`: its primary group; else unchanged
   */
  group?: string | number;
  /**
   * The supplementary groups, exactly these.
   * @defaultValue with `user`: see `initgroups`; else unchanged
   */
  groups?: readonly (string | number)[];
  /**
   * Takes as supplementary groups those that the user is in, and the group.
   * With `false`, or for a uid that no user has: the group alone.
   * @defaultValue `true`
   */
  initgroups?: boolean;
}

/** What to become, in numbers. What is absent stays as it is. */
export interface Privileges {
  uid?: number;
  gid?: number;
  groups?: readonly number[];
}

/** The ids that a call can set: -1 means none. */
const largestId = 0xfffffffe;

/** Of capabilities(7). */
const CAP_SETGID = 6;
const CAP_SETUID = 7;

/**
 * Looks up names and checks that the process may become what is asked for;
 * nothing is done to it. A process that may not change its ids, and is the user
 * already, keeps the group and groups that it has, unless they are asked for.
 * @returns what to become; undefined where nothing is asked for
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`; `ERR_INVALID_ARG_VALUE` there is no such
 *   user or group: as any other option that cannot be what it is, and unlike a
 *   refusal of the kernel, it needs another argument
 * @throws {RangeError} `ERR_OUT_OF_RANGE` no id
 * @throws {DaemonError} `ERR_DAEMON_NOT_PRIVILEGED` the process may not
 * @throws {PosixError} the name service could not tell
 */
export function lookUpPrivileges(
  options: PrivilegeOptions = {},
): Privileges | undefined {
  validateOptions(options, 'options', [
    'user',
    'group',
    'groups',
    'initgroups',
  ]);
  const { user, group, groups, initgroups } = options;
  if (initgroups !== undefined) {
    validateBoolean(initgroups, 'options.initgroups');
    if (initgroups && user === undefined)
      throw invalidArgValue('options.initgroups', true, "needs 'options.user'");
  }
  if (groups !== undefined) validateArray(groups, 'options.groups');
  const asked: Privileges = {
    ...(group !== undefined && { gid: findGid(group, 'options.group') }),
    ...(groups !== undefined && {
      groups: groups.map((it, i) => findGid(it, `options.groups[${i}]`)),
    }),
  };
  if (user === undefined && Object.keys(asked).length === 0) return undefined;
  const present = presentCredentials();
  const privileges =
    user === undefined ? asked : complete(user, initgroups, asked, present);
  assertPermitted(privileges, present);
  return privileges;
}

/** Fills in what the user brings along. */
function complete(
  user: string | number,
  initgroups: boolean | undefined,
  asked: Privileges,
  present: Credentials,
): Privileges {
  const { uid, name, ...account } = findAccount(user);
  const gid = asked.gid ?? account.gid;
  if (gid === undefined) {
    const reason =
      "is the id of no user, so that 'options.group' must be given too";
    throw invalidArgValue('options.user', user, reason);
  }
  const own =
    initgroups === false || name === undefined
      ? [gid]
      : getgrouplist(name, gid);
  if (isSettled(uid, present))
    return { uid, ...(initgroups && { groups: own }), ...asked };
  return { uid, gid, groups: own, ...asked };
}

/** It is the user, for good, and could not take other groups. */
function isSettled(uid: number, present: Credentials): boolean {
  return (
    present.Uid.every((id) => id === uid) &&
    present.Gid.every((id) => id === present.Gid[0]) &&
    !isCapable(present, CAP_SETGID)
  );
}

interface Account {
  uid: number;
  /** The two that an id without a user has not. */
  gid?: number;
  name?: string;
}

function findAccount(user: unknown): Account {
  const name = 'options.user';
  if (typeof user === 'number') {
    validateInteger(user, name, 0, largestId);
    return findUser(user) ?? { uid: user };
  }
  validateName(user, name);
  const found = findUser(user);
  if (found) return found;
  if (/^\d+$/.test(user)) return findAccount(Number(user));
  const reason = 'must be a user of this machine: no such user';
  throw invalidArgValue(name, user, reason);
}

function findGid(group: unknown, name: string): number {
  if (typeof group === 'number') {
    validateInteger(group, name, 0, largestId);
    return group;
  }
  validateName(group, name);
  const found = findGroup(group);
  if (found) return found.gid;
  if (/^\d+$/.test(group)) return findGid(Number(group), name);
  const reason = 'must be a group of this machine: no such group';
  throw invalidArgValue(name, group, reason);
}

function validateName(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string')
    throw invalidArgType(name, 'of type string or number', value);
  validateString(value, name);
}

/** Of this process, whose threads all have the same at that time. */
function presentCredentials(): Credentials {
  const proc = openProc();
  try {
    return listCredentials(proc)[0]!;
  } finally {
    close(proc);
  }
}

/**
 * The kernel would say so as well, but in the daemon, with half of it done.
 * Without a capability, the real, effective and saved ids may be exchanged.
 */
function assertPermitted(wanted: Privileges, present: Credentials): void {
  for (const [option, kind, id, ids, capability, name] of [
    ['user', 'uid', wanted.uid, present.Uid, CAP_SETUID, 'CAP_SETUID'],
    ['group', 'gid', wanted.gid, present.Gid, CAP_SETGID, 'CAP_SETGID'],
  ] as const) {
    if (id === undefined || ids.slice(0, 3).includes(id)) continue;
    if (!isCapable(present, capability)) {
      const lacks = `it lacks ${name}. Start it as root, or leave it out`;
      throw refused(option, `${kind} ${id}`, lacks);
    }
    if (!isMapped(kind, id)) throw refused(option, `${kind} ${id}`, unmapped);
  }
  const { groups } = wanted;
  if (groups !== undefined && !isSameSet(groups, present.Groups))
    assertMaySetGroups(groups, present);
}

function assertMaySetGroups(
  groups: readonly number[],
  present: Credentials,
): void {
  const list = groups.length === 0 ? 'no groups' : `groups ${groups.join(' ')}`;
  if (!isCapable(present, CAP_SETGID)) {
    const lacks = 'it lacks CAP_SETGID. Start it as root, or leave it out';
    throw refused('groups', list, lacks);
  }
  if (isSetgroupsDenied())
    throw refused('groups', list, 'its user namespace forbids setgroups(2)');
  const unknown = groups.find((id) => !isMapped('gid', id));
  if (unknown !== undefined)
    throw refused('groups', `gid ${unknown}`, unmapped);
}

const unmapped = 'its user namespace has no such id';

function refused(
  option: keyof PrivilegeOptions,
  wanted: string,
  lacks: string,
): DaemonError {
  return new DaemonError('ERR_DAEMON_NOT_PRIVILEGED', {
    option: `options.${option}`,
    wanted,
    lacks,
  });
}
