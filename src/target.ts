/** A daemon that is to be signalled: found by its PID file, held by a pidfd. */
import { resolve } from 'node:path';
import type { Signal } from './constants';
import { DaemonError, PosixError } from './errors';
import { removeStale } from './pidfile-claim';
import type { Content } from './pidfile-content';
import { validatePidfilePath } from './pidfile-options';
import { inspectPidfile, patience, type PidfileState } from './pidfile-state';
import { close } from './posix/descriptors';
import { pidfdOpen, pidfdSendSignal, waitReadable } from './posix/pidfd';
import { readStatus } from './process-identity';

type Held = Extract<PidfileState, { state: 'held' }>;

/** A process that held a PID file while a descriptor of it was open. */
export class Target {
  /** Absolute. */
  readonly path: string;
  readonly #found: Held;
  readonly #pidfd: number;

  private constructor(path: string, found: Held, pidfd: number) {
    this.path = path;
    this.#found = found;
    this.#pidfd = pidfd;
  }

  /**
   * The process that holds a PID file. To be closed.
   * @throws {DaemonError} `ERR_DAEMON_NOT_RUNNING` nobody holds it;
   *   `ERR_DAEMON_PID_UNKNOWN` somebody does, with a pid that is not known;
   *   `ERR_DAEMON_UNSAFE_PIDFILE` it cannot be a PID file, or belongs to another
   *   user, neither root, and names a process that he could not signal himself;
   *   `ERR_DAEMON_UNSUPPORTED`
   * @throws {PosixError} `EACCES` it may not be read
   */
  static open(pidfile: string): Target {
    validatePidfilePath(pidfile);
    const path = resolve(pidfile);
    for (;;) {
      const { pid } = findHeld(path);
      const pidfd = tryOpen(pid);
      try {
        // Looked at again, now that the descriptor means one process: it is the
        // one that holds the file, or has ended, and gets no signal then.
        const found = findHeld(path);
        if (found.pid !== pid) {
          if (pidfd !== undefined) close(pidfd);
          continue;
        }
        if (pidfd !== undefined) {
          assertEntitled(path, found);
          return new Target(path, found, pidfd);
        }
      } catch (error) {
        if (pidfd !== undefined) close(pidfd);
        throw error;
      }
      const reason = `there is no process ${pid} here`;
      throw new DaemonError('ERR_DAEMON_PID_UNKNOWN', { path, reason });
    }
  }

  /**
   * Does something with it, and closes it. Waits up to 2 s for the pid of a daemon
   * that is just starting.
   */
  static async use<T>(
    pidfile: string,
    use: (target: Target) => Promise<T>,
  ): Promise<T> {
    validatePidfilePath(pidfile);
    await begun(pidfile);
    const target = Target.open(pidfile);
    try {
      return await use(target);
    } finally {
      target.close();
    }
  }

  /** What the file says at the moment; nothing once it is gone or another's. */
  read(): Content | undefined {
    try {
      const found = inspectPidfile(this.path);
      if (found.state === 'held' && found.pid === this.pid)
        return found.content;
    } catch {
      // Somebody has put something else there; the process itself will tell.
    }
    return undefined;
  }

  get pid(): number {
    return this.#found.pid;
  }

  /** @returns false where it has ended */
  signal(signal: Signal): boolean {
    try {
      pidfdSendSignal(this.#pidfd, signal);
      return true;
    } catch (error) {
      const { code, errno, syscall } = error as PosixError;
      if (code === 'ESRCH') return false;
      if (code !== 'EPERM') throw error;
      const refused = new PosixError(errno, syscall, this.path);
      refused.message += `: process ${this.pid} belongs to another user`;
      throw refused;
    }
  }

  /** @returns whether it has ended within `ms`, and before `signal` */
  ended(ms: number, signal?: AbortSignal): Promise<boolean> {
    return waitReadable(this.#pidfd, ms, signal);
  }

  /** Removes the file that it has left, by a SIGKILL for one. */
  sweep(): void {
    removeStale(this.path, this.pid, this.#found.file);
  }

  close(): void {
    close(this.#pidfd);
  }
}

/** Without node:timers/promises, which would be loaded with the package. */
export const pauseFor = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Waits while a daemon is starting, but not for ever. */
async function begun(path: string): Promise<void> {
  for (let left: number = patience.attempts; left > 0; left--) {
    const found = inspectPidfile(path);
    if (found.state !== 'unknown' || !found.isStarting) return;
    await pauseFor(patience.pause);
  }
}

function findHeld(path: string): Held {
  const found = inspectPidfile(path);
  switch (found.state) {
    case 'held':
      return found;
    case 'unknown': {
      const { reason } = found;
      throw new DaemonError('ERR_DAEMON_PID_UNKNOWN', { path, reason });
    }
    case 'free':
      // It would only mislead programs that go by the pid alone.
      if (found.content?.identity)
        removeStale(path, found.content.pid, found.file);
      throw new DaemonError('ERR_DAEMON_NOT_RUNNING', { path });
    case 'absent':
      throw new DaemonError('ERR_DAEMON_NOT_RUNNING', { path });
  }
}

/**
 * Who owns the file can write any pid to it, and an identity. So it may name only
 * what he could signal himself; or root that asks would do it for him.
 */
function assertEntitled(path: string, { pid, file }: Held): void {
  const uid = Number(file.uid);
  if (uid === 0 || uid === process.geteuid!()) return;
  const ids = readStatus(pid, 'Uid')?.split('\t').map(Number);
  if (!ids) {
    const reason = `/proc does not tell whom process ${pid} belongs to`;
    throw new DaemonError('ERR_DAEMON_PID_UNKNOWN', { path, reason });
  }
  const [real, , saved] = ids;
  if (uid === real || uid === saved) return;
  const reason = `belongs to the user with the uid ${uid}, and names process ${pid} of another user`;
  throw new DaemonError('ERR_DAEMON_UNSAFE_PIDFILE', { path, reason });
}

function tryOpen(pid: number): number | undefined {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    if ((error as PosixError).code === 'ESRCH') return undefined;
    throw error;
  }
}
