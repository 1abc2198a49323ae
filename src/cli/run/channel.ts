/** What the daemon tells the launching process until it executes the command. */
import { readSync } from 'node:fs';
import { close, type Pipe, pipe, setCloexec } from '../../posix/descriptors';
import { writeAll } from '../../posix/loop';
import { waitReadable } from '../../posix/pidfd';
import type { Failure } from '../failure';

/** All that it has said. */
export interface Word {
  pid?: number;
  /** It was about to execute the command. */
  executes?: true;
  failure?: Pick<Failure, 'message' | 'hint' | 'status'>;
}

export class Channel {
  readonly #pipe: Pipe = pipe();

  /** In the daemon. */
  tell(word: Word): void {
    writeAll(this.#pipe.write, Buffer.from(`${JSON.stringify(word)}\n`));
  }

  /** Its end is the sign that a program was executed. */
  withhold(): void {
    setCloexec(this.#pipe.read);
    setCloexec(this.#pipe.write);
  }

  /** So is this, in a supervisor, which executes none itself. */
  close(): void {
    close(this.#pipe.read);
    close(this.#pipe.write);
  }

  /**
   * In the launching process: everything, once nobody can say more.
   * @param end what has been said till then, but with the pid: a daemon that is
   *   not known could not be ended
   */
  async hear(end: AbortSignal): Promise<Word> {
    const { read, write } = this.#pipe;
    close(write);
    const chunks: Buffer[] = [];
    const more = (): Promise<boolean> =>
      waitReadable(read, Infinity, chunks.length > 0 ? end : undefined);
    while (await more()) {
      const chunk = Buffer.alloc(4096);
      const length = readSync(read, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
    }
    const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
    return Object.assign(
      {},
      ...lines.map((line) => JSON.parse(line) as Word),
    ) as Word;
  }
}
