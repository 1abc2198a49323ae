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
    this.#tell(0, '');
  }

  /** The daemon will not come up: `message` goes to the launcher's stderr. */
  fail(message: string, status = 1): void {
    this.#tell(status, message);
  }

  // One byte of exit status, a text, end of file: native/forkall/launcher.cc.
  #tell(status: number, text: string): void {
    try {
      writeAll(
        this.#channel,
        Buffer.concat([Buffer.of(status), Buffer.from(text)]),
      );
    } catch {
      // EPIPE: somebody ended the launcher; the daemon goes on without it.
    }
    close(this.#channel);
  }
}
