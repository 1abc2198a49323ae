/** The files beside a log whose names begin with the log's. */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { identify } from './log-file';

/** What follows the name of an older generation: a number or a date, or `.old`. */
export const rotated = /^(?:[.-]\d[\dT:_.-]*|\.old)$/;

/** Of a copy, whatever it is called: it is known by its content. */
export const readable = /(?<!\.(gz|bz2|xz|zst|lz4|Z))$/;

/** A path, and what was there. */
export interface Sibling {
  path: string;
  identity: string;
}

export class Siblings {
  readonly #folder: string;
  readonly #base: string;
  /** Those that have nothing new. */
  readonly #known = new Set<string>();

  constructor(path: string) {
    this.#folder = dirname(path);
    this.#base = basename(path);
  }

  know(identity: string): void {
    this.#known.add(identity);
  }

  /**
   * Those that nobody asked for before, from the oldest on. Who may not list the
   * folder can still follow the file in it.
   * @param suffix what follows the name
   */
  fresh(suffix: RegExp): Sibling[] {
    return listFolder(this.#folder)
      .filter((name) => name !== this.#base && name.startsWith(this.#base))
      .filter((name) => suffix.test(name.slice(this.#base.length)))
      .flatMap((name) => {
        const path = join(this.#folder, name);
        const stats = statsOf(path);
        if (!stats?.isFile()) return [];
        const identity = identify(stats);
        const isNew = !this.#known.has(identity);
        this.know(identity);
        return isNew ? [{ path, identity, born: stats.birthtimeMs }] : [];
      })
      .sort((a, b) => a.born - b.born);
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @returns undefined where there is nothing, or nothing for this user */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Of what is there now. */
export function identityOf(path: string): string | undefined {
  const stats = statsOf(path);
  return stats && identify(stats);
}
