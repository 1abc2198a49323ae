import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './launch';

/** ms for a message that another process is about to send */
const DEADLINE = 10_000;

/** A message that arrived. */
export interface Notification {
  text: string;
  /** Who sent it, says the kernel. */
  pid: number;
  /** The paths of the descriptors that came along. */
  files: string[];
  /** Whether nothing of it was cut off. */
  whole: boolean;
}

/** The socket of a service manager. */
export class NotifySocket {
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string, undefined>;

  private constructor(address: string) {
    this.address = address;
    this.#process = spawn(
      'python3',
      [join(__dirname, 'notify-socket.py'), address],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const input = this.#process.stdout!;
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  /** Listens on a path, or `@name`; what arrives is queued until `read`. */
  static async queue(address: string): Promise<NotifySocket> {
    const socket = new NotifySocket(address);
    await socket.#next();
    return socket;
  }

  /** Listens on a path, or `@name`, and reads what arrives. */
  static async listen(address: string): Promise<NotifySocket> {
    const socket = await NotifySocket.queue(address);
    socket.read();
    return socket;
  }

  read(): void {
    this.#process.stdin!.write('\n');
  }

  /** @throws {Error} nothing came in time */
  async next(): Promise<Notification> {
    return JSON.parse(await this.#next()) as Notification;
  }

  /** Ends it. @returns the messages that nobody asked for */
  async end(): Promise<Notification[]> {
    const exit = once(this.#process, 'exit');
    this.#process.stdin!.end();
    const left: Notification[] = [];
    for (;;) {
      const { done, value } = await within(
        DEADLINE,
        'the end of the socket',
        this.#lines.next(),
      );
      if (done === true) break;
      left.push(JSON.parse(value) as Notification);
    }
    await exit;
    return left;
  }

  async #next(): Promise<string> {
    const { done, value } = await within(
      DEADLINE,
      'the next message',
      this.#lines.next(),
    );
    if (done === true) throw new Error('the socket is closed');
    return value;
  }
}

/** A socket for the time of `use`; all that is sent to it has to be asked for. */
export async function withNotifySocket<T>(
  socket: Promise<NotifySocket>,
  use: (socket: NotifySocket) => Promise<T>,
): Promise<T> {
  const listening = await socket;
  let result: T;
  try {
    result = await use(listening);
  } catch (error) {
    await listening.end();
    throw error;
  }
  const left = await listening.end();
  if (left.length > 0) throw new Error(`unexpected: ${JSON.stringify(left)}`);
  return result;
}
