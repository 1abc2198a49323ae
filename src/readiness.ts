/** Who is told when the daemon is ready, or that it will not be. */
import { close } from './posix/descriptors';
import { writeAll } from './posix/loop';

/** The way from the daemon to the process that launched it and waits. */
export class Launcher {
  #channel: number;

  /** @param channel what `detach` gave; -1 in a daemon that did not leave */
  constructor(channel: number) {
    this.#channel = channel;
  }

  /** Whether there is one, and has not been told yet. */
  get waits(): boolean {
    return this.#channel !== -1;
  }

  /** The daemon is up: the launcher leaves with status 0. */
  ready(): void {
    this.#tell(Uint8Array.of(0));
  }

  /**
   * The daemon will not come up, and ends with `status`, not 0: so does the
   * launcher, after `message` went to its stderr.
   */
  fail(message: string, status: number): void {
    this.#tell(Buffer.concat([Buffer.of(status), Buffer.from(message)]));
  }

  // One byte of exit status, a text, end of file: native/forkall/launcher.cc.
  #tell(word: Uint8Array): void {
    if (!this.waits) return;
    const channel = this.#channel;
    this.#channel = -1;
    try {
      writeAll(channel, word);
    } catch {
      // EPIPE: somebody ended the launcher; the daemon goes on without it.
    }
    close(channel);
  }
}

/**
 * Writes the newline that `s6-supervise` waits for, and closes the descriptor.
 * @see https://skarnet.org/software/s6/notifywhenup.html
 */
export function tellSupervisor(fd: number): void {
  writeAll(fd, Buffer.from('\n'));
  close(fd);
}
