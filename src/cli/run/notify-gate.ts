/** `READY=1` to NOTIFY_SOCKET, as services of systemd send it. */
import { randomBytes } from 'node:crypto';
import { close } from '../../posix/descriptors';
import {
  openNotifySocket,
  receiveNotification,
} from '../../posix/notify-socket';
import { pidfdOpen, waitReadable } from '../../posix/pidfd';
import type { Deadline } from './deadline';
import type { Gate } from './gate';

const microseconds = 1000;

/** `READY=1` to NOTIFY_SOCKET. @see sd_notify(3) */
export class NotifyGate implements Gate {
  status: string | undefined;
  readonly #name = `posix-daemonize/${process.pid}/${randomBytes(8).toString('hex')}`;
  readonly #socket = openNotifySocket(this.#name);
  readonly #uids: readonly number[];
  readonly #deadline: Deadline;
  readonly #launching = process.pid;
  #ready = false;
  /** Whether a BARRIER=1 has come since, the last thing that its sender sends. */
  #barrier = false;

  constructor(uids: readonly number[], deadline: Deadline) {
    this.#uids = uids;
    this.#deadline = deadline;
  }

  variables(): Record<string, string> {
    return { NOTIFY_SOCKET: `@${this.#name}` };
  }

  pass(): void {
    this.withhold();
  }

  fds(): readonly number[] {
    return [0, 1, 2];
  }

  keep(): void {
    void this.#takeOver().finally(() => close(this.#socket));
  }

  /**
   * Reads what nobody waits for any more, for as long as this process lives: else
   * senders would wait for an answer, or until the queue is not full.
   */
  async #takeOver(): Promise<void> {
    try {
      // What comes before is for the launching process.
      await endOf(this.#launching);
      for (;;) {
        await waitReadable(this.#socket, Infinity);
        while (receiveNotification(this.#socket));
      }
    } catch {
      // Out of descriptors or memory: then senders hear that nobody listens.
    }
  }

  // The next one has a reader as well.
  drop(): void {}

  withhold(): void {
    // Another manager's watchdog does not hear what is said here.
    delete process.env.WATCHDOG_USEC;
    delete process.env.WATCHDOG_PID;
  }

  async opened(end: AbortSignal): Promise<boolean> {
    while (!this.isOpen())
      if (!(await waitReadable(this.#socket, Infinity, end))) return false;
    return true;
  }

  isOpen(): boolean {
    this.#take(() => this.#ready);
    return this.#ready;
  }

  get isOwing(): boolean {
    this.#take(() => this.#barrier);
    return !this.#barrier;
  }

  async answered(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (
      let left = ms;
      this.isOwing && left > 0;
      left = end - performance.now()
    )
      await waitReadable(this.#socket, left);
  }

  /** All that has come, until it is enough. */
  #take(isEnough: () => boolean): void {
    while (!isEnough()) {
      const message = receiveNotification(this.#socket);
      if (message === null) return;
      if (this.#uids.includes(message.uid)) this.#read(message.text);
    }
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      const [name, value] = split(line);
      if (name === 'READY' && value === '1') this.#ready = true;
      if (name === 'BARRIER' && value === '1') this.#barrier = this.#ready;
      if (name === 'STATUS') this.status = value;
      if (name === 'EXTEND_TIMEOUT_USEC' && /^\d{1,15}$/.test(value))
        this.#deadline.extend(Number(value) / microseconds);
    }
  }
}

async function endOf(pid: number): Promise<void> {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw error;
  }
  await waitReadable(pidfd, Infinity);
  close(pidfd);
}

function split(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
