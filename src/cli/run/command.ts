/** The command that becomes the daemon. */
import { accessSync, chmodSync, constants, lstatSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { PosixError } from '../../errors';
import { exitCodes } from '../exit-codes';
import { Failure } from '../failure';

/** What execve(2) is given. */
export interface Command {
  /** As the daemon will see it: absolute, below the new root directory. */
  file: string;
  argv: readonly string[];
}

export interface Search {
  /** The new root directory. */
  chroot: string | undefined;
  /** Where a name with a slash counts from. */
  cwd: string;
  /** Directories for one without, as the variable PATH has them. */
  path: string;
  /** Whether a file that is not executable will do: it is made so. */
  chmod: boolean;
}

/** What execvp(3) takes where there is no PATH. */
export const usualPath = '/bin:/usr/bin';

/**
 * Finds the file that execvp(3) would execute.
 * @throws {Failure} there is none (5), or it may not be executed (4)
 */
export function findCommand(name: string, search: Search): string {
  const { chroot = '', cwd, path } = search;
  if (name === '') throw notFound("''", 'give the name of a program');
  const places = name.includes('/')
    ? [resolve(cwd, name)]
    : path.split(delimiter).map((directory) => resolve(cwd, directory, name));
  let refused: string | undefined;
  for (const place of places) {
    const state = look(chroot + place, search);
    if (state === 'executable') return place;
    if (state === 'refused') refused ??= place;
  }
  const below = chroot === '' ? '' : ` below ${chroot}`;
  if (refused === undefined) {
    const looked = name.includes('/') ? '' : `looked for in PATH, ${path}`;
    throw notFound(`'${name}'${below}`, looked || 'check the path');
  }
  throw new Failure(
    `'${refused}'${below} may not be executed`,
    exitCodes.privilege,
    '--chmod makes a file executable; a directory cannot be executed',
  );
}

function notFound(what: string, hint: string): Failure {
  const { notInstalled } = exitCodes;
  return new Failure(`no such command: ${what}`, notInstalled, hint);
}

function look(
  file: string,
  { chroot, chmod }: Search,
): 'executable' | 'refused' | 'missing' {
  try {
    if (!statSync(file).isFile()) return 'refused';
    if (!chmod) accessSync(file, constants.X_OK);
    return 'executable';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') return 'refused';
    // An absolute one leads elsewhere from inside: the kernel will tell.
    return chroot !== undefined && isLink(file) ? 'executable' : 'missing';
  }
}

export function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** `chmod 755` of a start script: whoever may read the file may execute it. */
export function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  const wanted = executable(mode);
  if (wanted !== mode) chmodSync(file, wanted & 0o7777);
}

const executable = (mode: number): number =>
  mode | 0o100 | ((mode & 0o444) >> 2);

/** @throws {PosixError} `EPERM`: {@link makeExecutable} would not be allowed to */
export function assertExecutable(file: string): void {
  const { mode, uid } = statSync(file);
  if (executable(mode) === mode || [0, uid].includes(process.geteuid!()))
    return;
  throw new PosixError(-osConstants.errno.EPERM, 'chmod', file);
}

/**
 * Arguments that name a file here, and no file where the daemon will be: what
 * was typed in the wrong directory fails later, where nobody looks.
 */
export function findStranded(
  args: readonly string[],
  from: string,
  to: string,
): string[] {
  if (from === to) return [];
  const exists = (path: string): boolean =>
    statSync(path, { throwIfNoEntry: false }) !== undefined;
  return args.filter((argument) => {
    if (!/^[^/-]/.test(argument) || argument.length > 255) return false;
    try {
      return exists(join(from, argument)) && !exists(join(to, argument));
    } catch {
      return false; // not a path at all
    }
  });
}
