/** Lines for the system log, from a command that knows nothing of it. */
import { openSync } from 'node:fs';
import type { Target } from '../../options';
import {
  close,
  dup2,
  listInherited,
  type Pipe,
  pipe,
  setCloexec,
} from '../../posix/descriptors';
import { fork } from '../../posix/fork';
import { _exit, chdir, execvp, waitpid } from '../../posix/process';
import type { Settings } from '../../settings';
import { findLogger, type Plan } from './plan';

/** By descriptor. */
const priorities = ['', 'info', 'err'] as const;

/**
 * A logger that was killed is started again. The shell has the pipe open
 * meanwhile: who writes waits, and does not die of SIGPIPE. One that ends by
 * itself has come to the end of the lines, or would fail again.
 */
const keeper =
  '"$0" "$@"; while [ $? -gt 128 ]; do sleep 1 || exit; "$0" "$@"; done';

/** A pipe for each of stdout and stderr that leads to the system log. */
export class LogLines {
  readonly #pipes = new Map<number, Pipe>();
  readonly #log: Plan['log'];
  readonly #file: string | undefined;

  constructor({ settings: { targets }, log }: Plan) {
    this.#log = log;
    for (const [fd, target] of targets.entries())
      if (target === 'syslog') this.#pipes.set(fd, pipe());
    if (this.#pipes.size > 0) this.#file = findLogger();
  }

  /** The targets, with pipes in place of the log. */
  lead(targets: Settings['targets']): Settings['targets'] {
    const at = (fd: 0 | 1 | 2): Target =>
      this.#pipes.get(fd)?.write ?? targets[fd];
    return [at(0), at(1), at(2)];
  }

  /**
   * Starts a logger(1) for each pipe, below a child of this process, which is
   * about to leave: both end when nobody has the other end any more.
   * @param pid whose lines they are
   */
  start(pid: number): void {
    for (const [fd, { read }] of this.#pipes)
      if (fork() === 0) this.#become(fd, read, pid);
  }

  /** The same for the command that this process is about to become. */
  startApart(): void {
    if (this.#pipes.size === 0) return;
    const { pid } = process;
    const between = fork();
    if (between > 0) return void waitpid(between);
    try {
      this.start(pid);
    } finally {
      _exit(0);
    }
  }

  #become(fd: number, read: number, pid: number): never {
    try {
      const { ident, facility } = this.#log;
      const tag = `${ident}[${pid}]`;
      const priority = `${facility}.${priorities[fd]!}`;
      for (const inherited of listInherited()) close(inherited);
      this.withhold();
      dup2(read, 0);
      const nothing = openSync('/dev/null', 'r+');
      for (const output of [1, 2]) dup2(nothing, output);
      chdir('/');
      const words = [this.#file!, '-p', priority, '-t', tag];
      execvp('/bin/sh', ['sh', '-c', keeper, ...words]);
    } finally {
      _exit(1);
    }
  }

  /** No program that is executed here has them, but as 0, 1 or 2. */
  withhold(): void {
    for (const { read, write } of this.#pipes.values()) {
      setCloexec(read);
      setCloexec(write);
    }
  }

  /** In the launching process, which does not write. */
  close(): void {
    for (const { read, write } of this.#pipes.values()) {
      close(read);
      close(write);
    }
  }
}
