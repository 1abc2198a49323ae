/**
 * What `run` was told, in a file beside the PID file: so that the daemon can be
 * found by its name, and started again.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
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

const extension = '.run.json';

const besides = (pidfile: string): string =>
  pidfile.replace(/\.pid$/, '') + extension;

/**
 * Replaces what is known of this PID file, in one step. To be called once the
 * daemon is up, by a process that has given up no privileges.
 * @throws the errors of `node:fs`
 */
export function register(daemon: Registered): void {
  const file = besides(daemon.pidfile);
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(daemon)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  renameSync(next, file);
}

/**
 * What was registered beside a PID file. It says what is executed: a file that
 * another user may have put there counts for nothing.
 */
export function findRegistered(pidfile: string): Registered | undefined {
  const text = ifThere(() => readOwn(besides(pidfile)));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Registered;
  } catch {
    return undefined; // a full disk, or no file of ours
  }
}

function readOwn(path: string): string | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { uid, mode } = fstatSync(fd);
    const ours = [0, process.geteuid!()].includes(uid) && !(mode & 0o022);
    return ours ? readFileSync(fd, 'utf8') : undefined;
  } finally {
    closeSync(fd);
  }
}

/** All that is registered at the default places of this user. */
export function allRegistered(): Registered[] {
  const folder = dirname(placesOf('x').pidfile);
  // Without XDG_RUNTIME_DIR each name has a folder of its own.
  const folders =
    basename(folder) === 'x' ? entries(dirname(folder)) : [folder];
  return folders
    .flatMap(entries)
    .filter((path) => path.endsWith(extension))
    .sort()
    .flatMap(
      (path) => findRegistered(`${path.slice(0, -extension.length)}.pid`) ?? [],
    );
}

const entries = (folder: string): string[] =>
  (ifThere(() => readdirSync(folder)) ?? []).map((name) => join(folder, name));

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(code))
      return undefined;
    throw error;
  }
}
