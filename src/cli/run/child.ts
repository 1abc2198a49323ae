/** The daemon, as long as it is a child of the launching process. */
import { pidfdOpen, waitReadable } from '../../posix/pidfd';
import { waitpid, type WaitStatus } from '../../posix/process';

export class Child {
  readonly pid: number;
  readonly #pidfd: number;
  #status: WaitStatus | undefined;

  constructor(pid: number) {
    this.pid = pid;
    this.#pidfd = pidfdOpen(pid);
  }

  /** How it ended; undefined where that takes longer. */
  async ended(ms: number, end?: AbortSignal): Promise<WaitStatus | undefined> {
    if (!this.#status && (await waitReadable(this.#pidfd, ms, end)))
      this.#status = waitpid(this.pid);
    return this.#status;
  }

  /**
   * Ends it: asks first.
   * @param grace ms from SIGTERM to SIGKILL
   */
  async end(grace: number): Promise<WaitStatus> {
    // Nobody else has the pid before waitpid has taken the status.
    if (!this.#status) process.kill(this.pid, 'SIGTERM');
    const status = await this.ended(grace);
    if (status) return status;
    process.kill(this.pid, 'SIGKILL');
    return (await this.ended(Infinity))!;
  }
}
