/** What the launching process is told, which waits for it and then leaves. */
import { close } from './posix/descriptors';
import { writeAll } from './posix/loop';

/** The way from the daemon to its launcher. */
export class Launcher {
  readonly #channel: number;

  constructor(channel: number) {
    this.#channel = channel;
  }

  /** The daemon is up: the launcher leaves with status 0. */
  ready(): void {
    this.#tell(Uint8Array.of(0));
  }

  /** The daemon will not come up: `message` goes to the launcher's stderr. */
  fail(message: string, status = 1): void {
    this.#tell(Buffer.concat([Buffer.of(status), Buffer.from(message)]));
  }

  // One byte of exit status, a text, end of file: native/forkall/launcher.cc.
  #tell(word: Uint8Array): void {
    try {
      writeAll(this.#channel, word);
    } catch {
      // EPIPE: somebody ended the launcher; the daemon goes on without it.
    }
    close(this.#channel);
  }
}
