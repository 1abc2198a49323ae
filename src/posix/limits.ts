/** Resource limits of the process. */
import { binding } from '../binding';
import { type Resource, resources } from '../constants';
import { check, invalidArgType, outOfRange } from '../errors';
import { validateOneOf, validateOptions } from '../validate';

/**
 * Limits in the unit of the resource (bytes, seconds, descriptors and so on, see
 * getrlimit(2)), `Infinity` for none.
 */
export interface Limits {
  /** What the kernel enforces; it can be set to anything up to `hard`. */
  soft: number;
  /** The most that `soft` can be. Only root can raise it. */
  hard: number;
}

/**
 * The limits of a resource. Beware: at its start Node raises the soft limit of
 * `nofile` to the hard one.
 * @returns both limits, numbers above 2^53 rounded
 * @throws {PosixError} `EINVAL` the kernel does not know the resource
 * @see POSIX.1-2017 getrlimit()
 */
export function getrlimit(resource: Resource): Limits {
  validateOneOf(resource, 'resource', Object.keys(resources));
  const [result, soft, hard] = binding.getrlimit(resources[resource]);
  check(result, 'getrlimit');
  return { soft, hard };
}

/**
 * Sets the limits of a resource, for this process and all that it starts later.
 * A limit that is not given stays as it is.
 * @throws {PosixError} `EPERM` a hard limit above the present one needs root;
 *   `EINVAL` the soft limit is above the hard one
 * @see POSIX.1-2017 setrlimit()
 */
export function setrlimit(resource: Resource, limits: Partial<Limits>): void {
  validateOneOf(resource, 'resource', Object.keys(resources));
  validateOptions(limits, 'limits', ['soft', 'hard']);
  const soft = limit(limits.soft, 'limits.soft');
  const hard = limit(limits.hard, 'limits.hard');
  check(binding.setrlimit(resources[resource], soft, hard), 'setrlimit');
}

/**
 * From now on neither this process nor a program that it executes leaves a core
 * dump: what is in memory, such as keys and passwords, does not come to a disk.
 *
 * A limit of 0 alone is not enough, since the kernel does not apply it where
 * core dumps are piped to a program. So the process is also made undumpable:
 * its own user cannot trace it (gdb, strace) any more, and unless it is root it
 * cannot read its `/proc/self/environ`, `io`, `mem` and `pagemap`; `fork()` does
 * without. A program that is executed becomes dumpable again, but keeps the limit.
 *
 * Call it after giving up privileges: a change of the user sets what the
 * machine's `fs.suid_dumpable` says.
 * @throws {PosixError} if the kernel refuses, for which no reason is known
 * @see core(5), prctl(2) PR_SET_DUMPABLE, SEI CERT C MEM06-C
 */
export function forbidCoreDumps(): void {
  setrlimit('core', { soft: 0, hard: 0 });
  check(binding.setDumpable(0), 'prctl');
}

/** The limit as the addon expects it: negative where none is given. */
function limit(value: number | undefined, name: string): number {
  if (value === undefined) return -1;
  if (typeof value !== 'number')
    throw invalidArgType(name, 'of type number', value);
  if (value === Infinity || (Number.isInteger(value) && value >= 0))
    return value;
  throw outOfRange(name, 'an integer >= 0, or Infinity', value);
}
