/**
 * What `run --name` was told, in a file at the default place of that name: so
 * that the daemon can be found by it, stopped as it has to be, and started again.
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
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { getpid } from '../posix/session';
import { identify } from '../process-identity';
import { makeDirectories } from '../safe-file';
import type { Supervisor } from './daemons/managed';
import { isName, placesOf } from './places';

export interface Registered {
  name: string;
  /** All that followed `run`, the command among it. */
  args: string[];
  /** Where it was called: paths in `args` count from there. */
  cwd: string;
  /** Absolute, and not always at the default place. */
  pidfile: string;
  /** Absolute paths, `'null'` or `'syslog'`. */
  stdout: string;
  stderr: string;
  /** Present under `--respawn`. */
  supervisor?: Supervisor;
  /** Whether `stop` has stopped it since: that it does not run is no news. */
  stopped: boolean;
}

/** As the file has it: in JSON there is no infinity, which is null there. */
interface Entry extends Omit<Registered, 'supervisor'> {
  supervisor?: Omit<Supervisor, 'killTimeout'> & { killTimeout: number | null };
  /** In which it was started: nothing of it has outlived that. */
  boot?: string;
}

const extension = '.run.json';
/** Added to a file by {@link retire}. */
const retired = `${JSON.stringify({ stopped: true })}\n`;
const { O_APPEND, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

const fileOf = (name: string): string =>
  placesOf(name).pidfile.replace(/\.pid$/, extension);

const thisBoot = (): string | undefined => identify(getpid())?.boot;

/**
 * Replaces what is known of this name, in one step. To be called once the daemon
 * is up, by a process that has given up no privileges.
 * @throws the errors of `node:fs`
 */
export function register(daemon: Omit<Registered, 'stopped'>): void {
  const file = fileOf(daemon.name);
  const boot = thisBoot();
  const entry: Entry = { ...daemon, stopped: false, ...(boot && { boot }) };
  const next = `${file}.${process.pid}`;
  makeDirectories(dirname(file));
  writeFileSync(next, `${JSON.stringify(entry)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  renameSync(next, file);
}

/**
 * Remembers that a daemon was stopped. Who registers the name anew meanwhile
 * replaces the file: that one is not hit.
 * @throws the errors of `node:fs`
 */
export function retire(name: string, pidfile: string): void {
  // One by its PID file alone has a name only for those who read.
  if (!isName(name)) return;
  withOwn(fileOf(name), O_RDWR | O_APPEND, (fd) => {
    const known = parse(readFileSync(fd, 'utf8'));
    if (known?.pidfile === pidfile && !known.stopped) writeSync(fd, retired);
  });
}

/**
 * What was registered by a name since the machine was started. It says what is
 * executed: a file that another user may have put there counts for nothing.
 */
export const findRegistered = (name: string): Registered | undefined =>
  readEntry(fileOf(name));

/** The same by the PID file. */
export const findRegisteredAt = (pidfile: string): Registered | undefined =>
  allRegistered().find((daemon) => daemon.pidfile === pidfile);

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
    .flatMap((path) => readEntry(path) ?? []);
}

function readEntry(path: string): Registered | undefined {
  const text = withOwn(path, O_RDONLY, (fd) => readFileSync(fd, 'utf8'));
  return text === undefined ? undefined : parse(text);
}

function parse(text: string): Registered | undefined {
  let entry: Entry;
  try {
    const [first = '', more = '{}'] = text.trimEnd().split('\n');
    entry = {
      ...(JSON.parse(first) as Entry),
      ...(JSON.parse(more) as object),
    };
  } catch {
    return undefined; // a full disk, or no file of ours
  }
  const { boot, supervisor, ...daemon } = entry;
  const now = thisBoot();
  if (boot !== undefined && now !== undefined && boot !== now) return undefined;
  if (!supervisor) return daemon;
  const killTimeout = supervisor.killTimeout ?? Infinity;
  return { ...daemon, supervisor: { ...supervisor, killTimeout } };
}

/** @returns undefined where there is no such file, or it is not to be trusted */
function withOwn<T>(
  path: string,
  flags: number,
  use: (fd: number) => T,
): T | undefined {
  const fd = ifThere(() => openSync(path, flags | O_NOFOLLOW));
  if (fd === undefined) return undefined;
  try {
    const { uid, mode } = fstatSync(fd);
    const ours = [0, process.geteuid!()].includes(uid) && !(mode & 0o022);
    return ours ? use(fd) : undefined;
  } finally {
    closeSync(fd);
  }
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
