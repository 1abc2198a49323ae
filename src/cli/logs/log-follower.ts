/** Follows a log file across its rotation, as inotify(7) tells of it. */
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { identify, LogFile } from './log-file';

/** The writer goes on in the old file until it opens the new one. */
const generations = 3;

/** ms between looks, where inotify has nothing left for us. */
const pause = 1000;

const compressed = /\.(gz|bz2|xz|zst|lz4|Z)$/;

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
  /** The files beside it that have nothing new. */
  readonly #known = new Set<string>();
  #folder: { identity: string; watcher: FSWatcher | undefined };
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Immediate | undefined;

  /**
   * @param lines that it begins with
   * @throws the errors of open(2), but not that the file is not there
   */
  constructor(path: string, lines: number, emit: (chunk: Buffer) => void) {
    this.#path = path;
    this.#emit = emit;
    this.#folder = this.#watchFolder();
    this.#unknown();
    if (isThere(path)) this.#follow(new LogFile(path)).seekLines(lines);
    this.#pass();
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
    for (const path of this.#unknown()) {
      const file = new LogFile(path);
      // A copy has nothing new.
      const { head } = file;
      if (files.some((followed) => followed.head.equals(head))) file.close();
      else this.#follow(file);
    }
    this.#follow(new LogFile(this.#path));
  }

  /** The file was emptied: what came just before is in the copy, if there is one. */
  #startAnew(file: LogFile): void {
    for (const path of this.#unknown()) {
      const copy = new LogFile(path);
      if (copy.continues(file)) {
        copy.seek(file.offset);
        copy.read(this.#emit);
      }
      copy.close();
    }
    file.seek(0);
  }

  #follow(file: LogFile): LogFile {
    this.#known.add(file.identity);
    const path = `/proc/self/fd/${file.fd}`; // whatever it is called by now
    this.#files.push({ file, watcher: this.#watch(path) });
    return file;
  }

  /** The files whose names begin with ours and that nobody asked for before. */
  #unknown(): string[] {
    const folder = dirname(this.#path);
    const base = basename(this.#path);
    if (!isThere(folder)) return [];
    return readdirSync(folder)
      .filter(
        (name) =>
          name !== base && name.startsWith(base) && !compressed.test(name),
      )
      .flatMap((name) => {
        const path = join(folder, name);
        const stats = statSync(path, { throwIfNoEntry: false });
        return stats?.isFile() ? [{ path, stats }] : [];
      })
      .filter(({ stats }) => {
        const identity = identify(stats);
        const isNew = !this.#known.has(identity);
        this.#known.add(identity);
        return isNew;
      })
      .sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs)
      .map(({ path }) => path);
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
      if (code === 'ENOENT') return undefined; // gone meanwhile
      if (!['EMFILE', 'ENOSPC'].includes(code)) throw error;
      this.#timer ??= setInterval(() => this.#schedule(), pause);
      return undefined;
    }
  }
}

const identityOf = (path: string): string | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && identify(stats);
};

const isThere = (path: string): boolean => identityOf(path) !== undefined;

const sizeOf = ({ size }: LogFile): number => size;

function forget({ file, watcher }: Followed): void {
  watcher?.close();
  file.close();
}
