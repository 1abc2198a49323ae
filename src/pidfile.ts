/**
 * The file that tells a daemon's pid, after FreeBSD's pidfile(3): locked before
 * the fork, written after it.
 */
import { closeSync, ftruncateSync, realpathSync, unlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { DaemonError, PosixError } from './errors';
import { claimPidfile } from './pidfile-claim';
import {
  maxPid,
  type Note,
  readContent,
  writeContent,
  writeNote,
} from './pidfile-content';
import { declareWritten } from './pidfile-lock';
import {
  type PidfileOptions,
  type PidfileWriteOptions,
  readPidfileOptions,
  validatePidfilePath,
} from './pidfile-options';
import { findHolder } from './pidfile-state';
import { getpid } from './posix/session';
import { identify, type ProcessIdentity } from './process-identity';
import { leadsTo, onFile, type Owner } from './safe-file';
import { validateBoolean, validateInteger, validateOptions } from './validate';

export type { Owner, PidfileOptions, PidfileWriteOptions };

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
  /** Who that is, once it is known. */
  #identity: ProcessIdentity | undefined;
  /** Where a note begins; 0 before the pid is written. */
  #end = 0;

  private constructor(path: string, fd: number) {
    this.path = this.#current = path;
    this.#real = join(realpathSync(dirname(path)), basename(path));
    this.#fd = fd;
  }

  /**
   * Makes the file, or takes over the one of a daemon that is gone, locks it and
   * empties it. Waits up to 100 ms for a lock that is held for a moment only, and up
   * to 2 s for the pid of a daemon that is just starting.
   *
   * Blank lines are written at once: a full disk is noticed here.
   * @throws {DaemonError} `ERR_DAEMON_ALREADY_RUNNING` (`pid`, `path`) another
   *   process holds the file; `ERR_DAEMON_UNSAFE_PIDFILE` (`path`, `reason`) it is
   *   no regular file, has a second name, its group or everybody may write to it, or it
   *   belongs to neither root, this process's user nor `owner`;
   *   `ERR_DAEMON_PID_UNKNOWN` (`path`, `reason`) it names a process that has not
   *   locked it, and /proc does not tell whether that lives
   * @throws {PosixError} `ENOENT` there is no such directory; `EACCES`; `EROFS`;
   *   `ENOSPC`: the file was removed; `EPERM` a directory made for it cannot be
   *   given to `owner`
   * @see FreeBSD pidfile(3)
   */
  static open(path: string, options: PidfileOptions = {}): Pidfile {
    validatePidfilePath(path);
    const wanted = readPidfileOptions(options);
    const absolute = resolve(path);
    const fd = claimPidfile(absolute, wanted);
    try {
      return new Pidfile(absolute, fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * The process that holds a file: by the lock, never by a pid alone, which in a
   * file that is not locked means nothing. For a program that cannot hold a lock
   * ({@link write}) its start time and boot decide. Takes no lock. Needs
   * permission to read the file.
   *
   * A flock(2) lock of another program makes nobody the holder.
   * @returns its pid, as this PID namespace has it; null if nobody holds the file,
   *   or there is none; undefined if the pid is not known: somebody has locked it
   *   who has not written one, as a daemon that is just starting, or who is not
   *   the process that did, as a child of a daemon that is gone; or /proc does
   *   not tell
   * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE` as for {@link open}; but the
   *   file may belong to anybody
   * @throws {PosixError} `EACCES`
   */
  static holder(path: string): number | null | undefined {
    validatePidfilePath(path);
    return findHolder(path);
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
   * Writes the pid and a newline, and on a second line who that is: the start
   * time of the process and the boot, where /proc tells. From now on this process
   * is the one that removes the file: call it in the daemon, not in the launching
   * process.
   * @param pid Default: the calling process.
   * @throws {PosixError} `ENOSPC` and all others of write(2), the file is left
   *   empty; `EBADF` it was closed; `ESRCH` with `lock: false`: there is no such
   *   process
   * @throws {DaemonError} `ERR_DAEMON_UNSUPPORTED` with `lock: false`: /proc does
   *   not tell who the process is
   */
  write(pid: number = getpid(), options: PidfileWriteOptions = {}): void {
    validateInteger(pid, 'pid', 1, maxPid);
    validateOptions(options, 'options', ['lock']);
    const { lock: locked = true } = options;
    validateBoolean(locked, 'options.lock');
    const fd = this.#opened('write');
    const identity = this.#identify(pid);
    if (!locked && !identity) throw unidentified(pid);
    onFile(this.path, () => {
      if (this.#end > 0) ftruncateSync(fd, 0);
      this.#end = writeContent(fd, {
        pid,
        locked,
        ...(identity && { identity }),
      });
    });
    declareWritten(fd);
  }

  /** Becomes the keeper; who it is may be known from before a chroot. */
  #identify(pid: number): ProcessIdentity | undefined {
    if (this.#keeper !== getpid() || !this.#identity) this.adopt();
    return pid === this.#keeper ? this.#identity : identify(pid);
  }

  /**
   * Writes what the daemon says of itself below its pid, for `status` and
   * `reload`, or a supervisor of its command; nothing in another process than the
   * one that wrote the pid, and nothing once the file is closed.
   * @throws {PosixError} those of write(2)
   * @internal
   */
  note(note: Note | { child: number | null }): void {
    const fd = this.#fd;
    if (fd === -1 || this.#end === 0 || this.#keeper !== getpid()) return;
    onFile(this.path, () => writeNote(fd, note, this.#end));
  }

  /**
   * The pid that the file has: all digits, and a newline, on the first line.
   * @returns undefined for what {@link write} does not write, and before it did
   * @throws {PosixError} `EBADF` it was closed
   */
  read(): number | undefined {
    const fd = this.#opened('read');
    return onFile(this.path, () => readContent(fd)?.pid);
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
    this.#identity = identify(this.#keeper);
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
    throw new PosixError(-constants.errno.EBADF, syscall, this.path);
  }
}

function unidentified(pid: number): Error {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { errno, code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return new PosixError(errno!, 'kill');
  }
  const reason = `/proc does not tell when process ${pid} was started`;
  return new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
}
