/** What a PID file says to those who ask: whether its daemon lives, and who it is. */
import { closeSync, constants, fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Content, readContent } from './pidfile-content';
import { askLock } from './pidfile-lock';
import { recognise } from './process-identity';
import { onFile, openSafely } from './safe-file';

/** Which file it was: another one may be there by now. */
export interface FileId {
  dev: bigint;
  ino: bigint;
  /** Whom it belongs to. */
  uid: bigint;
}

/** One look at a PID file. */
export type PidfileState =
  | { state: 'absent' }
  /** Nobody holds it; a content is of a daemon that is gone. */
  | { state: 'free'; file: FileId; content?: Content }
  | { state: 'held'; file: FileId; pid: number; content?: Content }
  /** Somebody holds it whose pid is not known. */
  | { state: 'unknown'; file: FileId; reason: string; isStarting?: true };

type Judgement =
  | { state: 'free'; content?: Content }
  | { state: 'held'; pid: number; content?: Content }
  | { state: 'unknown'; reason: string; isStarting?: true };

/**
 * How often who wants to know the pid looks for that of a daemon which is just
 * starting, and ms between: 2 s in all.
 */
export const patience = { attempts: 400, pause: 5 } as const;

/**
 * Takes no lock, and needs permission to read the file.
 * @throws {DaemonError} `ERR_DAEMON_UNSAFE_PIDFILE`
 * @throws {PosixError} the errors of open(2) but `ENOENT`
 */
export function inspectPidfile(path: string): PidfileState {
  const absolute = resolve(path);
  let fd: number;
  try {
    fd = openSafely(absolute, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { state: 'absent' };
  }
  try {
    return onFile(absolute, () => {
      const { dev, ino, uid } = fstatSync(fd, { bigint: true });
      return { ...judge(fd), file: { dev, ino, uid } };
    });
  } finally {
    closeSync(fd);
  }
}

/** What `Pidfile.holder` returns. */
export function findHolder(path: string): number | null | undefined {
  const found = inspectPidfile(path);
  if (found.state === 'held') return found.pid;
  return found.state === 'unknown' ? undefined : null;
}

function judge(fd: number): Judgement {
  const lock = askLock(fd);
  if (typeof lock === 'number') return { state: 'held', pid: lock };
  if (lock === 'starting') {
    const reason = 'it has not written its pid yet';
    return { state: 'unknown', reason, isStarting: true };
  }
  const content = readContent(fd);
  return lock === 'written' ? judgeLocked(content) : judgeFree(content);
}

/** The lock decides, but its holder may be no more than a child of the daemon. */
function judgeLocked(content: Content | undefined): Judgement {
  if (!content) return { state: 'unknown', reason: 'the file has no pid' };
  const { pid, identity } = content;
  if (identity && recognise(pid, identity) === 'gone') {
    const reason = `process ${pid}, which wrote the file, is gone, or of another PID namespace`;
    return { state: 'unknown', reason };
  }
  return { state: 'held', pid, content };
}

/** What the file says of a process that has not locked it; see `Pidfile.write`. */
export function judgeFree(content: Content | undefined): Judgement {
  if (!content) return { state: 'free' };
  const { pid, identity, locked } = content;
  if (locked) return { state: 'free', content };
  switch (recognise(pid, identity!)) {
    case 'alive':
      return { state: 'held', pid, content };
    case 'gone':
      return { state: 'free', content };
    case 'unknown':
      return {
        state: 'unknown',
        reason: `/proc does not tell whether it is process ${pid}`,
      };
  }
}
