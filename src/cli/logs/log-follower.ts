/** Follows a log file across its rotation, as inotify(7) tells of it. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { warn } from '../terminal';
import { LogFile } from './log-file';
import {
  identityOf,
  readable,
  rotated,
  type Sibling,
  Siblings,
} from './siblings';

/** The writer goes on in the old file until it opens the new one. */
const generations = 3;

/**
 * ms between looks, for what makes no event: there may be no inotify left for us,
 * and a folder whose file is still open somewhere is removed without a word.
 */
const pause = 1000;

interface Followed {
  file: LogFile;
  watcher: FSWatcher | undefined;
}

/**
 * Calls `emit` with what a log file has now, from its last lines on, and with all
 * that is added to it: also after it was renamed and made anew, emptied behind a
 * copy of it, or not there at first. What was written meanwhile to a file that
 * has another name by now is found there.
 */
export class LogFollower {
  readonly #path: string;
  readonly #emit: (chunk: Buffer) => void;
  /** From the oldest on; the last one is, or was, at the path. */
  readonly #files: Followed[] = [];
  readonly #siblings: Siblings;
  /** Those that could not be opened: it was said. */
  readonly #refused = new Set<string>();
  #folder: { identity: string; watcher: FSWatcher | undefined };
  readonly #timer: NodeJS.Timeout;
  #scheduled: NodeJS.Immediate | undefined;

  /**
   * @param lines that it begins with
   * @throws the errors of open(2), but not that the file is not there
   */
  constructor(path: string, lines: number, emit: (chunk: Buffer) => void) {
    this.#path = path;
    this.#emit = emit;
    this.#siblings = new Siblings(path);
    // Before there is anything that would have to be closed.
    const file = openIfThere(path);
    this.#folder = this.#watchFolder();
    this.#siblings.fresh(readable);
    if (file) this.#follow(file).seekLines(lines);
    this.#pass();
    this.#timer = setInterval(() => this.#schedule(), pause);
  }

  close(): void {
    this.#folder.watcher?.close();
    clearInterval(this.#timer);
    clearImmediate(this.#scheduled);
    for (const followed of this.#files.splice(0)) forget(followed);
  }

  /** Once for all events of a turn of the event loop. */
  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.#pass();
    });
  }

  #pass(): void {
    this.#findAgain();
    // From the newest on: what is in a file by then was written after all that
    // the older ones have, which are read as they are at a later moment.
    const ends = this.#files
      .map(({ file }) => file)
      .reverse()
      .map(sizeOf)
      .reverse();
    for (const [index, { file }] of this.#files.entries()) {
      if (!file.continues()) this.#startAnew(file);
      file.read(this.#emit, ends[index]);
    }
    for (const old of this.#files.splice(0, this.#files.length - generations))
      forget(old);
  }

  /** What is at the path now may be another file, in another folder. */
  #findAgain(): void {
    if (this.#folder.identity !== identityOf(dirname(this.#path))) {
      this.#folder.watcher?.close();
      this.#folder = this.#watchFolder();
    }
    const identity = identityOf(this.#path);
    if (identity === undefined) return;
    const files = this.#files.map(({ file }) => file);
    if (files.some((file) => file.identity === identity)) return;
    for (const sibling of this.#siblings.fresh(rotated)) {
      const file = this.#open(sibling);
      if (!file) continue;
      // A copy has nothing new.
      const { head } = file;
      if (files.some((followed) => followed.head.equals(head))) file.close();
      else this.#follow(file);
    }
    const file = this.#open({ path: this.#path, identity });
    if (file) this.#follow(file);
  }

  /** It may be gone by now, or another user's: then it is waited for. */
  #open({ path, identity }: Sibling): LogFile | undefined {
    try {
      const file = new LogFile(path);
      this.#refused.delete(identity);
      return file;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isLog =
        path === this.#path || rotated.test(path.slice(this.#path.length));
      if (code === 'ENOENT' || !isLog || this.#refused.has(identity))
        return undefined;
      this.#refused.add(identity);
      warn(`lines may be missing: ${message}`);
      return undefined;
    }
  }

  /** The file was emptied: what came just before is in the copy, if there is one. */
  #startAnew(file: LogFile): void {
    for (const sibling of this.#siblings.fresh(readable)) {
      const copy = this.#open(sibling);
      if (copy?.continues(file)) {
        copy.seek(file.offset);
        copy.read(this.#emit);
      }
      copy?.close();
    }
    file.seek(0);
  }

  #follow(file: LogFile): LogFile {
    this.#siblings.know(file.identity);
    const path = `/proc/self/fd/${file.fd}`; // whatever it is called by now
    this.#files.push({ file, watcher: this.#watch(path) });
    return file;
  }

  /** Watches the folder or, until it is there, the nearest one above it. */
  #watchFolder() {
    for (;;) {
      const folder = this.#nearestFolder();
      const watcher = this.#watch(folder.path);
      // What came before it was watched has made no event.
      if (this.#nearestFolder().identity === folder.identity)
        return { identity: folder.identity, watcher };
      watcher?.close();
    }
  }

  #nearestFolder(): { path: string; identity: string } {
    let path = dirname(this.#path);
    for (;;) {
      const identity = identityOf(path);
      if (identity !== undefined) return { path, identity };
      path = dirname(path);
    }
  }

  #watch(path: string): FSWatcher | undefined {
    try {
      const schedule = () => this.#schedule();
      return watch(path, schedule).on('error', schedule);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // Gone meanwhile, nothing left for us, or a folder that we may not list.
      const known = ['ENOENT', 'EMFILE', 'ENOSPC', 'EACCES'];
      if (known.includes(code)) return undefined;
      throw error;
    }
  }
}

/** @throws the errors of open(2), but not that it is not there */
function openIfThere(path: string): LogFile | undefined {
  try {
    return new LogFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const sizeOf = ({ size }: LogFile): number => size;

function forget({ file, watcher }: Followed): void {
  watcher?.close();
  file.close();
}
