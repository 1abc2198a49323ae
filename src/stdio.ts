/** Where descriptors 0, 1 and 2 will lead. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { LogFile } from './logging/file';
import type { SyslogStream } from './logging/syslog-stream';
import type { FileTarget, Target } from './options';
import { dup2 } from './posix/descriptors';
import { openLogPipe } from './posix/log-pipes';
import { listLoopHandles } from './posix/loop';
import type { Owner } from './safe-file';
import { isInUse, LiveStream, renewInput } from './streams';

const outputMode = 0o640;

/** The targets of the standard streams: opened, put in place, opened anew. */
export class StandardStreams {
  readonly #targets: readonly Target[];
  readonly #openLogStream: () => SyslogStream;
  /** What becomes 0, 1 and 2; undefined where nothing changes, or has. */
  #sources: (number | undefined)[] = [];
  /** The files that 0, 1 and 2 lead to, or will. */
  #files: (LogFile | undefined)[] = [];
  /** The ends of 1 and 2 that the log's thread will read; -1: none. */
  #logged: number[] = [];
  /** What open() opened and redirect() has not put in place yet. */
  readonly #opened = new Set<number>();
  #live: (LiveStream | undefined)[] = [];

  /** @param log gives the stream of the system log, where a target is that */
  constructor(targets: readonly Target[], log: () => SyslogStream) {
    this.#targets = targets;
    this.#openLogStream = log;
  }

  /**
   * Opens the targets, and makes files and directories that are missing; an
   * error here has changed nothing else. Paths count from the working directory
   * and the root directory that the process has now.
   * @param owner whom files and directories belong to that it makes: the user
   *   that the daemon becomes, who has to open them anew. Those that are there
   *   already stay as they are.
   */
  open(owner?: Owner): void {
    this.#sources = [];
    this.#files = [];
    this.#logged = [-1, -1, -1];
    try {
      for (const [fd, target] of this.#targets.entries())
        this.#sources[fd] = this.#openTarget(target, fd, owner);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #openTarget(
    target: Target,
    fd: number,
    owner: Owner | undefined,
  ): number | undefined {
    if (target === 'inherit' || target === fd) return undefined;
    if (typeof target === 'number') {
      fstatSync(target);
      if (target < fd) this.#files[fd] = this.#files[target];
      return target;
    }
    const { O_RDONLY, O_RDWR } = constants;
    if (target === 'null') return this.#own(openSync('/dev/null', O_RDWR));
    if (target === 'syslog') return this.#openLog(fd);
    const { path, mode = outputMode, mkdir = false } = asFile(target);
    if (fd === 0) return this.#own(openSync(path, O_RDONLY));
    // One open file for both: who goes on writing to it does so in order.
    const same = this.#files.findIndex((file) => file?.path === path);
    const file = (this.#files[fd] =
      this.#files[same] ?? new LogFile(path, mode, mkdir));
    return this.#sources[same] ?? this.#own(file.open(owner));
  }

  #openLog(fd: number): number {
    // It is connected now: a chroot may follow.
    this.#openLogStream();
    const { read, write } = openLogPipe();
    this.#logged[fd] = this.#own(read);
    return this.#own(write);
  }

  #own(fd: number): number {
    this.#opened.add(fd);
    return fd;
  }

  /** Closes what open() opened. What it made stays: it may be in use by now. */
  close(): void {
    this.#logged = [];
    for (const fd of this.#opened) closeSync(fd);
    this.#opened.clear();
  }

  #isLogged(): boolean {
    return this.#logged.some((fd) => fd !== -1);
  }

  /** Sends what was written so far to where it was written. */
  flush(): void {
    const handles = listLoopHandles();
    this.#live = this.#sources.map((source, fd) =>
      source !== undefined && isInUse(fd, handles)
        ? new LiveStream(fd)
        : undefined,
    );
    for (const stream of this.#live) stream?.flush();
  }

  /**
   * Puts the targets in place, under the streams that are in use as well. It may
   * be called in parts: a stream that is left out stays where it is till later.
   */
  redirect(fds: readonly number[] = [0, 1, 2]): void {
    if (this.#isLogged()) this.#startLog();
    for (const fd of fds) this.#place(fd);
    for (const fd of this.#opened) {
      if (this.#sources.includes(fd)) continue;
      closeSync(fd);
      this.#opened.delete(fd);
    }
  }

  #startLog(): void {
    const [, out = -1, err = -1] = this.#logged;
    this.#openLogStream().serve(out, err);
    this.#logged = [];
    for (const fd of [out, err]) this.#opened.delete(fd);
  }

  #place(fd: number): void {
    const source = this.#sources[fd];
    if (source === undefined) return;
    const stream = this.#live[fd] ?? this.#findLive(fd);
    // What came since flush(), where this is the later part.
    stream?.flushIfPossible();
    stream?.release();
    dup2(source, fd);
    this.#sources[fd] = undefined;
    if (this.#leadsToLog(fd)) this.#liveInLog(fd, stream).resume();
    else stream?.resume();
    // Node's own stream is the better one for a socket or a pipe.
    if (fd === 0 && typeof this.#targets[0] === 'string') renewInput();
  }

  /**
   * The pipe of the system log that a descriptor leads to by now, by the number
   * it was made for; undefined where it leads elsewhere.
   */
  logPipeOf(fd: 1 | 2): 1 | 2 | undefined {
    const isPlaced = this.#sources[fd] === undefined && this.#leadsToLog(fd);
    if (!isPlaced || !isPipe(fd)) return undefined;
    return this.#targets[fd] === 'syslog' ? fd : 1;
  }

  #leadsToLog(fd: number): boolean {
    const target = this.#targets[fd]!;
    if (typeof target === 'number' && target < fd)
      return this.#targets[target] === 'syslog';
    return target === 'syslog';
  }

  #findLive(fd: number): LiveStream | undefined {
    return isInUse(fd, listLoopHandles()) ? new LiveStream(fd) : undefined;
  }

  // Node's own stream for a pipe would keep what the pipe does not take at once,
  // and lose it at an exit: this one waits.
  #liveInLog(fd: number, stream: LiveStream | undefined): LiveStream {
    if (stream) return stream;
    const made = new LiveStream(fd);
    made.detach();
    return made;
  }

  /**
   * Opens the files of stdout and stderr anew, by their paths. Each new file is
   * open before the old one is let go, and takes its place in one step. Whoever
   * has a descriptor of the old file, such as a child that was started before,
   * goes on with that. Devices, FIFOs and the system log are left alone.
   * @throws {PosixError} | {DaemonError} `ERR_DAEMON_LOG_OUT_OF_ROOT`: a file
   *   that cannot be opened; its stream goes on with the old one, the others
   *   have been reopened. AggregateError where it is two files.
   */
  reopen(): void {
    const errors: Error[] = [];
    for (const file of new Set(this.#files)) {
      try {
        if (file) this.#reopenFile(file);
      } catch (error) {
        errors.push(error as Error);
      }
    }
    const [first, second] = errors;
    if (first && second)
      throw new AggregateError(errors, `${first.message}; ${second.message}`);
    if (first) throw first;
  }

  #reopenFile(file: LogFile): void {
    const leading = (fd: number): boolean =>
      this.#files[fd] === file && file.isAt(fd);
    const placed = [1, 2].filter((fd) => leading(fd));
    const source = this.#sources.find(
      (fd, index) =>
        fd !== undefined && this.#opened.has(fd) && this.#files[index] === file,
    );
    const old = source ?? placed[0];
    if (old === undefined || !file.isAt(old)) return;
    const fresh = file.reopen(old);
    for (const fd of placed) dup2(fresh, fd);
    if (source === undefined) return closeSync(fresh);
    // A stream that is still to be put in place will go to the new file.
    this.#sources = this.#sources.map((fd) => (fd === source ? fresh : fd));
    this.#opened.delete(source);
    closeSync(source);
    this.#own(fresh);
  }

  /**
   * The process has changed its root directory: files that are in the new one
   * have another path now, others can no longer be reopened.
   * @param root the new root as seen from the old one, absolute and without
   *   symbolic links
   */
  moveRoot(root: string): void {
    for (const file of new Set(this.#files)) file?.moveRoot(root);
  }
}

/** The program may have put something else there. */
function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}

/** With an absolute path: it outlives chdir(2). */
function asFile(target: string | FileTarget): FileTarget {
  const file = typeof target === 'string' ? { path: target } : target;
  return { ...file, path: resolve(file.path) };
}
