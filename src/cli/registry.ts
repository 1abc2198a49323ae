/**
 * What `run --name` was told, so that the daemon can be found, and started again,
 * by its name.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { placesOf } from './places';

export interface Registered {
  name: string;
  /** All that followed `run`, the command among it. */
  args: string[];
  /** Where it was called: paths in `args` count from there. */
  cwd: string;
  /** Absolute. */
  pidfile: string;
  /** Absolute paths, `'null'` or `'syslog'`. */
  stdout: string;
  stderr: string;
}

const extension = '.json';

/** Beside the default PID files, so it is emptied at boot as they are. */
const folder = (): string =>
  join(dirname(placesOf('posix-daemonize').pidfile), 'posix-daemonize');

const fileOf = (name: string): string => join(folder(), name + extension);

/**
 * Replaces what is known of this name, in one step. To be called by the process
 * that has the lock of the PID file, before it gives up privileges.
 * @throws the errors of `node:fs`
 */
export function register(daemon: Registered): void {
  const file = fileOf(daemon.name);
  const next = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(next, `${JSON.stringify(daemon)}\n`, { mode: 0o600 });
  renameSync(next, file);
}

/** @returns undefined if `run` did not have this name since the last boot */
export function findRegistered(name: string): Registered | undefined {
  const text = ifThere(() => readFileSync(fileOf(name), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as Registered);
}

/** Every name that `run` had, as this user, since the last boot. */
export function registeredNames(): string[] {
  const names = ifThere(() => readdirSync(folder())) ?? [];
  return names
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length))
    .sort();
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
