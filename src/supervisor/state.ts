/** What `status` and `list` show of a supervised command: a small file. */
import {
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { onFile, openSafely } from '../safe-file';
import type { End } from './policy';

export interface SupervisorState {
  /** How often the command was started again. */
  restarts: number;
  /** How it ended last; null before that. */
  lastExit: (End & { at: string }) | null;
  /** null while it does not run. */
  childPid: number | null;
  /** When it was started, ISO 8601; null while it does not run. */
  childSince: string | null;
  /** Why the supervisor has left it at that; null while it has not. */
  ended: 'final' | 'limit' | null;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const mode = 0o644;
/** Of the file, in bytes. */
const longest = 4096;

/** Beside the supervisor's PID file: `x.pid` has `x.state`. */
export function stateFileOf(pidfile: string): string {
  return `${pidfile.replace(/\.pid$/, '')}.state`;
}

/** The file of a supervisor, which it writes at each change. */
export class StateFile {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  #works = true;
  readonly #state: SupervisorState = {
    restarts: 0,
    lastExit: null,
    childPid: null,
    childSince: null,
    ended: null,
  };

  /** @param path empty: nothing is written */
  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  get restarts(): number {
    return this.#state.restarts;
  }

  started(pid: number): void {
    this.#change({ childPid: pid, childSince: new Date().toISOString() });
  }

  ended({ exitCode, signal }: End): void {
    const lastExit = { exitCode, signal, at: new Date().toISOString() };
    this.#change({ lastExit, childPid: null, childSince: null });
  }

  restarting(): void {
    this.#change({ restarts: this.#state.restarts + 1 }, false);
  }

  left(because: 'final' | 'limit'): void {
    this.#change({ ended: because });
  }

  remove(): void {
    this.#attempt(() => {
      if (this.#path)
        onFile(this.#path, () => rmSync(this.#path, { force: true }));
    });
  }

  #change(news: Partial<SupervisorState>, isWritten = true): void {
    Object.assign(this.#state, news);
    if (isWritten && this.#path)
      this.#attempt(() => replace(this.#path, this.#state));
  }

  /** A user who may not write there never may: that is said once. */
  #attempt(action: () => void): void {
    if (!this.#works) return;
    try {
      action();
    } catch (error) {
      this.#works = false;
      this.#warn(
        `what is told of restarts is old: ${(error as Error).message}`,
      );
    }
  }
}

/** As a whole: who reads it sees this state or the one before. */
function replace(path: string, state: SupervisorState): void {
  const draft = `${path}.new`;
  onFile(draft, () => {
    rmSync(draft, { force: true });
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      fchmodSync(fd, mode);
      writeSync(fd, `${JSON.stringify(state)}\n`);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  });
}

/**
 * Who owns the file may have put anything there.
 * @returns undefined where there is none that can be read
 */
export function readState(path: string): SupervisorState | undefined {
  try {
    const fd = openSafely(path, O_RDONLY);
    try {
      return parse(readSome(fd));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function readSome(fd: number): string {
  const buffer = Buffer.alloc(longest);
  return buffer.toString('utf8', 0, readSync(fd, buffer));
}

function parse(text: string): SupervisorState | undefined {
  const state = JSON.parse(text) as SupervisorState | null;
  const { restarts, childPid } = state ?? {};
  const isOne =
    Number.isInteger(restarts) &&
    (childPid === null || Number.isInteger(childPid));
  return isOne ? state! : undefined;
}
