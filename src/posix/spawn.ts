/** A program as a child process, without `node:child_process`. */
import { binding } from '../binding';
import type { Signal } from '../constants';
import { check } from '../errors';
import { environmentStrings, validateArguments } from '../program-arguments';
import {
  validateArray,
  validateInteger,
  validateOneOf,
  validateOptions,
  validateSignal,
  validateString,
} from '../validate';

/** Options of {@link spawn}. */
export interface SpawnOptions {
  /** Entries that are undefined are left out. @defaultValue `process.env` */
  env?: NodeJS.ProcessEnv;
  /** @defaultValue this process's working directory */
  cwd?: string;
  /** @defaultValue this process's file mode creation mask */
  umask?: number;
  /**
   * Descriptors of this process: the program has `fds[0]` as its descriptor 0,
   * and so on; -1 passes nothing at that place. They block: the flag
   * `O_NONBLOCK` of 0 to 2 is taken away, for everybody who has them open.
   * All others are inherited unless they have close-on-exec, as what Node opens.
   * @defaultValue `[0, 1, 2]`
   */
  fds?: readonly number[];
  /**
   * `'parent'` leaves it in the group of this process, `'own'` makes it the
   * leader of a new process group, `'session'` of a new session.
   * @defaultValue `'parent'`
   */
  group?: (typeof groups)[number];
  /**
   * The kernel sends it to the program when this process ends, even by SIGKILL.
   * A set-user-ID program does not get it. @defaultValue none
   * @see PR_SET_PDEATHSIG of prctl(2)
   */
  deathSignal?: Signal;
}

const known = ['env', 'cwd', 'umask', 'fds', 'group', 'deathSignal'];
const groups = ['parent', 'own', 'session'] as const;

/** As numbered in native/posix/spawn.h. */
const calls = ['vfork', 'setpgid', 'prctl', 'chdir', 'dup2', 'execvp'];

/**
 * Starts a program as a child of this process, and returns once it runs: what
 * keeps it from running is thrown, and then there is no child. The caller waits
 * for its end by `waitpid`, and hears of it by `SIGCHLD`; Node does not know it.
 *
 * The program finds no signal blocked, and `SIGPIPE` and `SIGXFSZ`, which Node
 * ignores, at their default. Other signals stay ignored if they were. The memory
 * is not copied (vfork(2)): it takes the same time however large this process is.
 * @param file a path if it has a slash, else looked for in this process's `PATH`
 * @param argv the arguments, the first one being the program's name
 * @returns its pid
 * @throws {PosixError} by `syscall`: `execvp` (`ENOENT`, `EACCES` and the others
 *   of execve(2)), `chdir`, both with their `path`; `dup2` (`EBADF`); `vfork`
 *   (`EAGAIN` the user has too many processes; `ENOMEM`)
 * @see POSIX.1-2017 posix_spawnp()
 */
export function spawn(
  file: string,
  argv: readonly string[],
  options: SpawnOptions = {},
): number {
  validateString(file, 'file');
  validateArguments(argv, 'argv');
  validateOptions(options, 'options', known);
  const { env = process.env, cwd, umask, fds = [0, 1, 2] } = options;
  if (cwd !== undefined) validateString(cwd, 'options.cwd');
  if (umask !== undefined) validateInteger(umask, 'options.umask', 0, 0o777);
  validateFds(fds);
  const [result, act] = binding.spawn({
    file,
    argv,
    env: environmentStrings(env, 'options.env'),
    cwd: cwd ?? '',
    umask: umask ?? -1,
    fds,
    group: groupOf(options),
    deathSignal: deathSignalOf(options),
  });
  const call = calls[act]!;
  return check(result, call, { chdir: cwd, execvp: file }[call]);
}

function validateFds(fds: readonly number[]): void {
  validateArray(fds, 'options.fds');
  fds.forEach((fd, i) =>
    validateInteger(fd, `options.fds[${i}]`, -1, 0x7fffffff),
  );
}

function groupOf({ group = 'parent' }: SpawnOptions): number {
  validateOneOf(group, 'options.group', groups);
  return groups.indexOf(group);
}

function deathSignalOf({ deathSignal }: SpawnOptions): number {
  if (deathSignal === undefined) return 0;
  return validateSignal(deathSignal, 'options.deathSignal');
}
