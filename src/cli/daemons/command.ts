/** The command of a supervisor, seen from outside and held by a pidfd. */
import { type Signal, signalNumber } from '../../constants';
import { type Ending, statusOf } from '../../control';
import { PosixError } from '../../errors';
import { close } from '../../posix/descriptors';
import { pidfdOpen, pidfdSendSignal, waitReadable } from '../../posix/pidfd';
import { getpgid } from '../../posix/session';
import {
  identify,
  type ProcessIdentity,
  readStatus,
  recognise,
} from '../../process-identity';
import { readState, stateFileOf } from '../../supervisor/state';
import { Target } from '../../target';
import type { Managed, Supervisor } from './managed';

export class Command implements Ending {
  readonly pid: number;
  readonly path: string;
  readonly #pidfd: number;
  readonly #identity: ProcessIdentity;

  private constructor(
    pid: number,
    path: string,
    pidfd: number,
    identity: ProcessIdentity,
  ) {
    this.pid = pid;
    this.path = path;
    this.#pidfd = pidfd;
    this.#identity = identity;
  }

  /**
   * The command that a supervisor has now: whatever files say, by the kernel its
   * child. To be closed.
   * @param parent pid of the supervisor
   */
  static under(
    parent: number,
    { pidfile }: Managed,
    { childPidfile }: Supervisor,
  ): Command | undefined {
    const told = [
      pidIn(childPidfile),
      readState(stateFileOf(pidfile))?.childPid ?? undefined,
    ];
    for (const pid of told) {
      const isIt = (): boolean => readStatus(pid!, 'PPid') === String(parent);
      const command = pid && Command.#open(pid, childPidfile, isIt);
      if (command) return command;
    }
    return undefined;
  }

  /**
   * The one that a PID file names. To be closed.
   * @throws as `Target.open`
   */
  static named(pidfile: string): Command | undefined {
    const target = Target.open(pidfile);
    const { pid } = target;
    target.close();
    return Command.#open(pid, pidfile, () => pidIn(pidfile) === pid);
  }

  static #open(
    pid: number,
    path: string,
    isIt: () => boolean,
  ): Command | undefined {
    let pidfd: number;
    try {
      pidfd = pidfdOpen(pid);
    } catch (error) {
      if ((error as PosixError).code === 'ESRCH') return undefined;
      throw error;
    }
    const identity = identify(pid);
    if (identity && isIt()) return new Command(pid, path, pidfd, identity);
    close(pidfd);
    return undefined;
  }

  get isAlive(): boolean {
    return recognise(this.pid, this.#identity) === 'alive';
  }

  /** To all of the group that it leads, as its supervisor sends it. */
  signal(signal: Signal): void {
    if (!this.isAlive) return;
    try {
      if (getpgid(this.pid) === this.pid)
        process.kill(-this.pid, signalNumber(signal));
      else pidfdSendSignal(this.#pidfd, signal);
    } catch (error) {
      const { code, errno, syscall } = error as NodeJS.ErrnoException;
      if (code === 'ESRCH') return;
      throw new PosixError(errno!, syscall!, this.path);
    }
  }

  ended(ms: number): Promise<boolean> {
    return waitReadable(this.#pidfd, ms);
  }

  close(): void {
    close(this.#pidfd);
  }
}

/** A file that cannot be one of a command names none. */
function pidIn(pidfile: string): number | undefined {
  try {
    return statusOf(pidfile).pid;
  } catch {
    return undefined;
  }
}
