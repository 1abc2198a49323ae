/**
 * The file that tells a daemon's pid, after FreeBSD's pidfile(3): locked before
 * the fork, written after it.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  readSync,
  realpathSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { constants as os } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { DaemonError, PosixError } from './errors';
import { askLock, declareWritten, takeLocks } from './pidfile-lock';
import {
  type PidfileOptions,
  readPidfileOptions,
  validatePidfilePath,
} from './pidfile-options';
import { getpid } from './posix/session';
import {
  hand,
  leadsTo,
  makeDirectories,
  onFile,
  openSafely,
  type Owner,
} from './safe-file';
import { validateInteger } from './validate';

/** The most that /proc/sys/kernel/pid_max can be. */
const maxPid = 2 ** 22;

/** How often open() tries, and ms between: as FreeBSD, 100 ms in all. */
const attempts = 20;
const pause = 5;

export type { Owner, PidfileOptions };

/** A PID file that this process, or the one it was forked from, has locked. */
export class Pidfile {
  /** Absolute, as it was when the file was opened. */
  readonly path: string;
  /** Where it is from the root that the process has. */
  #current: string;
  /** The same without symbolic links on the way: what a chroot goes by. */
  #real: string;
  #fd: number;
  /** The process that may remove the file. */
  #keeper = getpid();
  #written = false;

  private constructor(path: string, fd: number) {
    this.path = this.#current = path;
    this.#real = join(realpathSync(dirname(path)), basename(path));
    this.#fd = fd;
  }

  /**
   * Makes the file, or takes over the one of a daemon that is gone, locks it and
   * empties it. Waits up to 100 ms for a lock that is held for a moment only.
   *
   * A blank line is written at once: a full disk is noticed here.
   * @throws {DaemonError} `ERR_DAEMON_ALREADY_RUNNING` (`pid`, `path`) another
   *   process holds the lock; `ERR_DAEMON_UNSAFE_PIDFILE` (`path`, `reason`) it is
   *   no regular file, has a second name, everybody may write to it, or it
   *   belongs to neither root, this process's user nor `owner`
   * @throws {PosixError} `ENOENT` there is no such directory; `EACCES`; `EROFS`;
   *   `ENOSPC`, `EPERM` it cannot be given to `owner`: the file was removed
   * @see FreeBSD pidfile(3)
   */
  static open(path: string, options: PidfileOptions = {}): Pidfile {
    validatePidfilePath(path);
    const { mode, mkdir, owner } = readPidfileOptions(options);
    const absolute = resolve(path);
    if (mkdir) makeDirectories(dirname(absolute), owner);
    for (let attempt = 1; ; attempt++) {
      const pidfile = Pidfile.#lock(absolute, mode, owner);
      if (pidfile) return pidfile;
      const pid = Pidfile.holder(absolute) ?? undefined;
      if (pid !== undefined || attempt === attempts) {
        const details = { pid, path: absolute };
        throw new DaemonError('ERR_DAEMON_ALREADY_RUNNING', details);
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }

  /** One attempt; undefined where somebody else has a lock. */
  static #lock(path: string, mode: number, owner?: Owner): Pidfile | undefined {
    const owners = [0, process.geteuid!(), ...(owner ? [owner.uid] : [])];
    const flags = constants.O_RDWR | constants.O_CREAT;
    const fd = openSafely(path, flags, mode, owners);
    try {
      // Its last holder may have removed it since it was opened.
      if (takeLocks(fd) && leadsTo(path, fd)) {
        claim(path, fd, mode, owner);
        return new Pidfile(path, fd);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /**
   * The process that holds the lock of a file, by the lock alone: a pid in a
   * file that is not locked means nothing. Takes no lock. Needs permission to
   * read the file.
   *
   * The pid is as its writer's PID namespace has it. A flock(2) lock of another
   * program makes nobody the holder.
   * @returns its pid; null if nobody holds it, or there is no file; undefined if
   *   somebody does who has not written a pid: a daemon that is just starting
   * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE` as for {@link open}; but the
   *   file may belong to anybody
   * @throws {PosixError} `EACCES`
   */
  static holder(path: string): number | null | undefined {
    validatePidfilePath(path);
    let fd: number;
    try {
      fd = openSafely(resolve(path), constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      const state = askLock(fd);
      if (typeof state === 'number') return state;
      if (state === 'free') return null;
      return state === 'written' ? readPid(fd) : undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** As {@link Pidfile.holder} of the path: this process itself, it may be. */
  holder(): number | null | undefined {
    return Pidfile.holder(this.#current);
  }

  /** The descriptor, closed on exec; -1 once it is closed. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Writes the pid and a newline. From now on this process is the one that
   * removes the file: call it in the daemon, not in the launching process.
   * @param pid Default: the calling process.
   * @throws {PosixError} `ENOSPC` and all others of write(2), the file is left
   *   empty; `EBADF` it was closed
   */
  write(pid: number = getpid()): void {
    validateInteger(pid, 'pid', 1, maxPid);
    const fd = this.#opened('write');
    this.adopt();
    const line = Buffer.from(`${pid}\n`);
    onFile(this.path, () => {
      // The blank line is overwritten as it is: its block is ours already.
      if (this.#written) ftruncateSync(fd, 0);
      this.#written = true;
      try {
        if (writeSync(fd, line, 0, line.length, 0) < line.length)
          throw new PosixError(-os.errno.ENOSPC, 'write');
      } catch (error) {
        ftruncateSync(fd, 0);
        throw error;
      }
    });
    declareWritten(fd);
  }

  /**
   * The pid that the file has: all digits, and a newline.
   * @returns undefined for anything else, as before {@link write}
   * @throws {PosixError} `EBADF` it was closed
   */
  read(): number | undefined {
    const fd = this.#opened('read');
    return onFile(this.path, () => readPid(fd));
  }

  /**
   * Closes the file and leaves it where it is. The lock is kept as long as
   * another process has it open, as the daemon has that was forked from here.
   */
  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd !== -1) closeSync(fd);
  }

  /**
   * Removes the file and closes it, the second time nothing. Only the process
   * that wrote it (that opened it, if nobody wrote) removes it, and only if the
   * path still leads to it. A file that it cannot remove it leaves empty.
   * @returns whether the file was removed by this: false after a chroot that
   *   left it outside, where it was removed or replaced, or in another process
   * @throws {PosixError} `EACCES`, `EPERM`, `EROFS`: the directory belongs to
   *   somebody else, as when root was given up. The file is empty and closed.
   */
  remove(): boolean {
    const fd = this.#fd;
    try {
      if (fd === -1 || this.#keeper !== getpid()) return false;
      return onFile(this.path, () => {
        ftruncateSync(fd, 0);
        const here = leadsTo(this.#current, fd);
        if (here) unlinkSync(this.#current);
        return here;
      });
    } finally {
      this.close();
    }
  }

  /** This process is the one that removes the file, from now on. @internal */
  adopt(): void {
    this.#keeper = getpid();
  }

  /**
   * The process has a new root directory: a file below it is still found.
   * @param root as seen from the old one, absolute and without symbolic links
   * @internal
   */
  moveRoot(root: string): void {
    const inside = relative(root, this.#real);
    if (inside === '..' || inside.startsWith('../')) return;
    this.#current = this.#real = join('/', inside);
  }

  #opened(syscall: string): number {
    if (this.#fd !== -1) return this.#fd;
    throw new PosixError(-os.errno.EBADF, syscall, this.path);
  }
}

/** Makes the file that was locked ours: empty, but for a block of the disk. */
function claim(path: string, fd: number, mode: number, owner?: Owner): void {
  try {
    onFile(path, () => {
      ftruncateSync(fd, 0);
      writeSync(fd, '\n', 0);
      hand(fd, mode, owner);
    });
  } catch (error) {
    try {
      unlinkSync(path);
    } catch {
      // What is left is empty and says nothing; the first error tells more.
    }
    throw error;
  }
}

function readPid(fd: number): number | undefined {
  const buffer = Buffer.alloc(16);
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  const text = buffer.toString('latin1', 0, length);
  const pid = /^[1-9]\d*\n$/.test(text) ? Number(text) : NaN;
  return pid <= maxPid ? pid : undefined;
}
