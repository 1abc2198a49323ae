/** The process as a whole: its directories, its children, its end. */
import { binding } from '../binding';
import { type Signal, signalName } from '../constants';
import { check } from '../errors';
import { environmentStrings, validateArguments } from '../program-arguments';
import {
  validateBoolean,
  validateInteger,
  validateOptions,
  validatePid,
  validateString,
} from '../validate';

/** `WNOHANG` of waitpid(2). */
const noHang = 1;

/**
 * Sets the file mode creation mask: permissions that new files do not get.
 * @param mask 0 to 0o777
 * @returns the mask before
 * @see POSIX.1-2017 umask()
 */
export function umask(mask: number): number {
  validateInteger(mask, 'mask', 0, 0o777);
  return binding.umask(mask);
}

/**
 * Changes the working directory. It is that of the whole process: not in a
 * Worker.
 * @throws {PosixError} `ENOENT` there is no such directory; `ENOTDIR`; `EACCES` it
 *   may not be searched; in a Worker, an Error with the code
 *   `ERR_WORKER_UNSUPPORTED_OPERATION`
 * @see POSIX.1-2017 chdir()
 */
export function chdir(path: string): void {
  validateString(path, 'path');
  try {
    // By Node, which keeps what process.cwd() has answered.
    process.chdir(path);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    check(errno, 'chdir', path);
  }
}

/**
 * Changes the root directory of the whole process: not in a Worker. As the
 * system call, it leaves the working directory where it is: **call `chdir('/')`
 * next**, or relative paths lead out of the new root. If the working directory
 * is outside, `process.cwd()` throws `ENOENT` until then.
 *
 * What Node loads only when it is needed (`require`, ICU data, DNS settings,
 * certificates, /proc) is looked for in the new root from now on. Root can leave
 * a changed root: give up the privileges afterwards.
 * @throws {PosixError} `EPERM` it needs root (CAP_SYS_CHROOT); `ENOENT`; `ENOTDIR`;
 *   in a Worker, an Error with the code `ERR_WORKER_UNSUPPORTED_OPERATION`
 * @see chroot(2)
 */
export function chroot(path: string): void {
  validateString(path, 'path');
  // Node shall forget what process.cwd() answered, and cannot in a Worker: then
  // the first call throws, before anything is done.
  chdir('.');
  check(binding.chroot(path), 'chroot', path);
  chdir('.');
}

/** Options of {@link waitpid}. */
export interface WaitpidOptions {
  /** Do not wait, answer null where no child has ended. Default: `false`. */
  nohang?: boolean;
}

/** How a child ended: one of `exitCode` and `signal` is null. */
export interface WaitStatus {
  pid: number;
  /** 0 to 255. */
  exitCode: number | null;
  signal: Signal | null;
}

/**
 * Waits for the end of a child and removes it from the process table. Without
 * `nohang` the whole thread waits, its event loop included: no signal listener
 * runs either.
 *
 * Meant for children made by `fork()`. With -1 or a group it may take the exit
 * of one that `node:child_process` started, whose `'exit'` event then never
 * comes.
 * @param pid a child; -1 any child; 0 any of the own process group; less than -1
 *   any of the process group `-pid`
 * @throws {PosixError} `ECHILD` there is no such child, or `SIGCHLD` is ignored
 * @see POSIX.1-2017 waitpid()
 */
export function waitpid(
  pid: number,
  options: { nohang: true },
): WaitStatus | null;
export function waitpid(pid: number, options?: { nohang?: false }): WaitStatus;
export function waitpid(
  pid: number,
  options?: WaitpidOptions,
): WaitStatus | null;
export function waitpid(
  pid: number,
  options: WaitpidOptions = {},
): WaitStatus | null {
  validatePid(pid, 'pid');
  validateOptions(options, 'options', ['nohang']);
  const { nohang = false } = options;
  validateBoolean(nohang, 'options.nohang');
  const [result, status] = binding.waitpid(pid, nohang ? noHang : 0);
  if (check(result, 'waitpid') === 0) return null;
  const killedBy = status & 0x7f;
  return killedBy === 0
    ? { pid: result, exitCode: (status >> 8) & 0xff, signal: null }
    : { pid: result, exitCode: null, signal: signalName(killedBy) };
}

/**
 * Replaces this program by another one, in this process: the pid, the working
 * directory, the limits and the open descriptors without close-on-exec stay.
 * Nothing of Node is left: no exit handler runs, what streams still hold is lost.
 *
 * The program finds what it expects: descriptors 0 to 2, no signal blocked, and
 * `SIGPIPE` and `SIGXFSZ`, which Node ignores, at their default. Other signals
 * stay ignored if they were. The soft limit of `nofile`, which Node raises, stays
 * as high as it is.
 * @param file a path if it has a slash, else looked for in this process's `PATH`
 * @param argv the arguments, the first one being the program's name
 * @param env its environment, entries that are undefined left out
 * @throws {PosixError} `ENOENT`, `EACCES`, `E2BIG` and all others of execve(2);
 *   everything is as it was
 * @see POSIX.1-2017 execvp()
 */
export function execvp(
  file: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): never {
  validateString(file, 'file');
  validateArguments(argv, 'argv');
  const result = binding.execvp(file, argv, environmentStrings(env, 'env'));
  check(result, 'execvp', file);
  throw new Error('unreachable');
}

/**
 * Whether orphans among this process's descendants become its children, whose
 * status it can ask for, and not those of process 1. No child inherits it.
 * @see prctl(2), `PR_SET_CHILD_SUBREAPER`
 */
export function setSubreaper(on: boolean): void {
  check(binding.setSubreaper(on ? 1 : 0), 'prctl');
}

/**
 * Ends the process at once: no exit handler runs, what streams still hold is
 * lost. Right for a child of `fork()` that must not do its parent's cleaning up.
 * @param status 0 to 255
 * @see POSIX.1-2017 _exit()
 */
export function _exit(status: number): never {
  validateInteger(status, 'status', 0, 255);
  return binding._exit(status);
}
