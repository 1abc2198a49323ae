/** Log files: made, opened, and opened anew once they were rotated. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { DaemonError, PosixError } from '../errors';
import type { Owner } from '../safe-file';

/** How a file is made that is not there. */
interface Making {
  mode: number;
  owner: Owner | undefined;
  /** The mode is exact, whatever the umask. */
  exact: boolean;
}

const directoryMode = 0o755;
const permissions = 0o7777;

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_WRONLY } = constants;
const appending = O_WRONLY | O_APPEND | O_NOCTTY;

/** A file that is appended to, known by its path. */
export class LogFile {
  /** As given, absolute. */
  readonly path: string;
  readonly #mode: number;
  readonly #mkdir: boolean;
  /** Where it is from the root that the process has. */
  #current: string;
  /** The same without symbolic links on the way: what a chroot goes by. */
  #real: string;
  /** The root that it is not under. */
  #outOf: string | undefined;
  /** What was opened last. */
  #opened: Pick<Stats, 'dev' | 'ino'> = { dev: -1, ino: -1 };

  constructor(path: string, mode: number, mkdir: boolean) {
    this.path = this.#current = this.#real = path;
    this.#mode = mode;
    this.#mkdir = mkdir;
  }

  /**
   * @param owner whom it belongs to if it is made, as do directories made
   * @throws {PosixError}
   */
  open(owner?: Owner): number {
    const fd = this.#open({ mode: this.#mode, owner, exact: false });
    this.#real = join(realpathSync(dirname(this.path)), basename(this.path));
    this.#opened = fstatSync(fd);
    return fd;
  }

  /**
   * Whether a descriptor still leads to the file that was opened last. A device
   * or a FIFO is none, and the program may have put something else there.
   */
  isAt(fd: number): boolean {
    try {
      const { dev, ino, mode } = fstatSync(fd);
      const regular = (mode & constants.S_IFMT) === constants.S_IFREG;
      return regular && dev === this.#opened.dev && ino === this.#opened.ino;
    } catch {
      return false; // closed meanwhile
    }
  }

  /**
   * Opens what the path leads to now; if it has to be made, with the mode and
   * the owner that the old file has.
   * @param old a descriptor of the old file
   * @throws {PosixError} the old file stays in use
   * @throws {DaemonError} `ERR_DAEMON_LOG_OUT_OF_ROOT`
   */
  reopen(old: number): number {
    if (this.#outOf !== undefined) {
      const details = { path: this.path, root: this.#outOf };
      throw new DaemonError('ERR_DAEMON_LOG_OUT_OF_ROOT', details);
    }
    const owner = fstatSync(old);
    const mode = owner.mode & permissions;
    const fd = this.#open({ mode, owner, exact: true });
    this.#opened = fstatSync(fd);
    return fd;
  }

  /** The process has a new root directory, `root` from the one before. */
  moveRoot(root: string): void {
    const inside = relative(root, this.#real);
    if (inside === '..' || inside.startsWith('../')) this.#outOf ??= root;
    else this.#current = this.#real = join('/', inside);
  }

  #open(making: Making): number {
    const path = this.#current;
    const made = this.#mkdir ? makeDirectories(dirname(path)) : [];
    const fd = openOrMake(path, making);
    try {
      for (const directory of made) giveDirectory(directory, making);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  }
}

function openOrMake(path: string, making: Making): number {
  let fd;
  try {
    fd = openSync(path, appending | O_CREAT | O_EXCL, making.mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw kernelError(error, path);
    // It is there, or a symbolic link that leads to nothing is.
    try {
      return openSync(path, appending | O_CREAT, making.mode);
    } catch (error) {
      throw kernelError(error, path);
    }
  }
  try {
    give(fd, making);
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    throw kernelError(error, path);
  }
  return fd;
}

// chown(2) needs root; where the owner fits already, it is not needed.
function give(fd: number, { mode, owner, exact }: Making): void {
  if (owner && !fits(owner, fstatSync(fd)))
    fchownSync(fd, owner.uid, owner.gid);
  if (exact) fchmodSync(fd, mode);
}

const fits = (owner: Owner, { uid, gid }: Owner): boolean =>
  owner.uid === uid && owner.gid === gid;

/**
 * @returns those that were made, the deepest first: so they are given away, for
 *   who owns a directory may replace what is in it
 */
function makeDirectories(path: string): string[] {
  let first;
  try {
    first = mkdirSync(path, { recursive: true, mode: directoryMode });
  } catch (error) {
    throw kernelError(error, path);
  }
  if (first === undefined) return [];
  const made = [];
  for (let each = path; each.length >= first.length; each = dirname(each))
    made.push(each);
  return made;
}

function giveDirectory(path: string, { owner }: Making): void {
  const stats = lstatSync(path);
  if (!owner || fits(owner, stats)) return;
  try {
    lchownSync(path, owner.uid, owner.gid);
  } catch (error) {
    throw kernelError(error, path);
  }
}

/** What `node:fs` throws, in our shape and with the path. */
function kernelError(error: unknown, path: string): unknown {
  const { errno, syscall } = error as NodeJS.ErrnoException;
  if (errno === undefined || syscall === undefined) return error;
  return new PosixError(errno, syscall, path);
}
