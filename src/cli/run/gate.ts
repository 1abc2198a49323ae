/** How the launching process learns that the command is ready. */
import { randomBytes } from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import {
  close,
  dup2,
  type Pipe,
  pipe,
  setCloexec,
} from '../../posix/descriptors';
import {
  openNotifySocket,
  receiveNotification,
} from '../../posix/notify-socket';
import { waitReadable } from '../../posix/pidfd';
import type { Deadline } from './deadline';
import type { Ready } from './values';

/** Made before the fork; one side of it is the daemon's. */
export interface Gate {
  /** In the daemon: what it has to be told. */
  variables(): Record<string, string>;
  /** In the daemon: leaves to the command what it needs, and nothing else. */
  pass(): void;
  /** In a supervisor, which passes it to each command: what those have as 0, 1, ... */
  fds(): readonly number[];
  /** In a supervisor, once the command runs: keeps nothing but for the next one. */
  keep(): void;
  /** In a supervisor, when nobody waits any more: the next one tells nobody. */
  drop(): void;
  /** In any process that executes other programs: leaves them nothing. */
  withhold(): void;
  /**
   * In the launching process: whether the command is ready, once it says so or
   * cannot any more.
   */
  opened(end: AbortSignal): Promise<boolean>;
  /** Whether it has said so, without waiting. */
  isOpen(): boolean;
  /** What it said of itself last. */
  readonly status: string | undefined;
}

/**
 * @param uids whose word counts
 * @param deadline moved when it asks for more time
 */
export function openGate(
  ready: Ready,
  uids: readonly number[],
  deadline: Deadline,
): Gate | undefined {
  switch (ready.by) {
    case 'exec':
      return undefined;
    case 'notify':
      return new NotifyGate(uids, deadline);
    case 'fd':
      return new FdGate(ready.fd);
  }
}

const microseconds = 1000;
const standard = [0, 1, 2] as const;

/** `READY=1` to NOTIFY_SOCKET. @see sd_notify(3) */
class NotifyGate implements Gate {
  status: string | undefined;
  readonly #name = `posix-daemonize/${process.pid}/${randomBytes(8).toString('hex')}`;
  readonly #socket = openNotifySocket(this.#name);
  readonly #uids: readonly number[];
  readonly #deadline: Deadline;
  #ready = false;

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
    return standard;
  }

  // Else what is sent once nobody reads would be taken, until senders block.
  keep(): void {
    close(this.#socket);
  }

  drop(): void {
    delete process.env.NOTIFY_SOCKET;
  }

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
    for (;;) {
      const message = this.#ready ? null : receiveNotification(this.#socket);
      if (message === null) return this.#ready;
      if (this.#uids.includes(message.uid)) this.#read(message.text);
    }
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      const [name, value] = split(line);
      if (name === 'READY' && value === '1') this.#ready = true;
      if (name === 'STATUS') this.status = value;
      if (name === 'EXTEND_TIMEOUT_USEC' && /^\d{1,15}$/.test(value))
        this.#deadline.extend(Number(value) / microseconds);
    }
  }
}

function split(line: string): [name: string, value: string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

/**
 * A newline on a descriptor.
 * @see https://skarnet.org/software/s6/notifywhenup.html
 */
class FdGate implements Gate {
  readonly status = undefined;
  readonly #fd: number;
  readonly #pipe: Pipe = pipe();
  /** What a supervisor passes. */
  #passed = this.#pipe.write;
  #ready = false;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  variables(): Record<string, string> {
    return {};
  }

  pass(): void {
    const { read, write } = this.#pipe;
    // One of them may have the number itself.
    if (read !== this.#fd) setCloexec(read);
    if (write === this.#fd) return;
    dup2(write, this.#fd);
    setCloexec(write);
  }

  // Not by dup2 in the supervisor: the number may be one of Node's own.
  fds(): readonly number[] {
    const others = Array.from({ length: this.#fd - standard.length }, () => -1);
    return [...standard, ...others, this.#passed];
  }

  keep(): void {
    close(this.#pipe.read);
  }

  drop(): void {
    if (this.#passed !== this.#pipe.write) return;
    this.#passed = openSync('/dev/null', 'r+');
    close(this.#pipe.write);
  }

  withhold(): void {
    setCloexec(this.#pipe.read);
    setCloexec(this.#pipe.write);
  }

  async opened(end: AbortSignal): Promise<boolean> {
    close(this.#pipe.write);
    while (!this.isOpen()) {
      if (this.#closed) return false;
      if (!(await waitReadable(this.#pipe.read, Infinity, end))) return false;
      this.#take();
    }
    return true;
  }

  isOpen(): boolean {
    return this.#ready;
  }

  #take(): void {
    const buffer = Buffer.alloc(64);
    const length = readSync(this.#pipe.read, buffer);
    if (length === 0) this.#closed = true;
    else this.#ready = buffer.subarray(0, length).includes('\n');
  }
}
