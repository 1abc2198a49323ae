/**
 * What is in a PID file: on the first line the pid, for everybody; on the second
 * who that is, so that the pid of another process is not taken for it; then what
 * the daemon says of itself, or a supervisor (`child=5678`).
 *
 * ```
 * 1234
 * start=5678 boot=01234567-89ab-cdef-0123-456789abcdef
 * ready=2 begun=2 ended=2 reloaded=1
 * error="no such host"
 * ```
 */
import { ftruncateSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { PosixError } from './errors';
import type { ProcessIdentity } from './process-identity';

/** The most that /proc/sys/kernel/pid_max can be. */
export const maxPid = 2 ** 22;

/** Of the whole file, in bytes: the disk has room for it from the start. */
const longest = 512;
const longestError = 256;

/** What a daemon says of itself. Reloads have numbers, from 1 on. */
export interface Note {
  /** How many times it was ready: 0 while it starts, once more by each reload. */
  ready: number;
  /** The last reload that has begun; 0 before the first. */
  begun: number;
  /** The last one that is over. */
  ended: number;
  /** The last one that succeeded. */
  reloaded: number;
  /** Why the last one that is over did not; cut where it is long. */
  error?: string | undefined;
}

/** Of a daemon that has just come up. */
export const firstNote: Note = { ready: 0, begun: 0, ended: 0, reloaded: 0 };

export interface Content {
  pid: number;
  identity?: ProcessIdentity;
  /** Whether the process has locked the file; if not, its identity decides. */
  locked: boolean;
  note?: Note;
  /** The command that a supervisor runs; null while it runs none. */
  child?: number | null;
}

/** Empties a file and takes the room that {@link writeContent} will need. */
export function reserve(fd: number): void {
  ftruncateSync(fd, 0);
  overwrite(fd, '\n'.repeat(longest), 0);
}

/**
 * Writes pid and identity. What was written is left out again if it fails.
 * @returns where a note follows
 */
export function writeContent(
  fd: number,
  { pid, identity, locked }: Content,
): number {
  const who = identity
    ? `start=${identity.start} boot=${identity.boot}${locked ? '' : ' lock=none'}\n`
    : '';
  const text = `${pid}\n${who}`;
  try {
    overwrite(fd, text, 0);
    ftruncateSync(fd, text.length);
    return text.length;
  } catch (error) {
    ftruncateSync(fd, 0);
    throw error;
  }
}

/** Replaces what follows the identity, at `start`. */
export function writeNote(
  fd: number,
  note: Note | { child: number | null },
  start: number,
): void {
  const text = 'child' in note ? `child=${note.child}\n` : describeNote(note);
  // Who reads in between finds no note, but never half of one.
  ftruncateSync(fd, start);
  overwrite(fd, text, start);
}

function describeNote({ ready, error, ...reloads }: Note): string {
  const { begun, ended, reloaded } = reloads;
  const counts =
    begun > 0 ? ` begun=${begun} ended=${ended} reloaded=${reloaded}` : '';
  const reason = error === undefined ? '' : `error=${quote(error)}\n`;
  return `ready=${ready}${counts}\n${reason}`;
}

/** @returns undefined for what this package did not write, and before it did */
export function readContent(fd: number): Content | undefined {
  const buffer = Buffer.alloc(2 * longest);
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  const text = buffer.toString('utf8', 0, length);
  if (length === buffer.length || !text.endsWith('\n')) return undefined;
  const [first = '', ...more] = text.slice(0, -1).split('\n');
  const words = readWords(more);
  if (!/^[1-9]\d*$/.test(first) || Number(first) > maxPid || !words)
    return undefined;
  const identity = readIdentity(words);
  const locked = words.get('lock') !== 'none';
  if (!identity && !locked) return undefined;
  const note = readNote(words);
  const child = words.get('child');
  return {
    pid: Number(first),
    locked,
    ...(identity && { identity }),
    ...(note && { note }),
    ...(child !== undefined && { child: readCount(child) ?? null }),
  };
}

/** `name=value`, and at the end one that may contain spaces. */
function readWords(lines: readonly string[]): Map<string, string> | undefined {
  const words = lines.flatMap((line) =>
    line.startsWith('error=') ? [line] : line.split(' '),
  );
  const pairs = words.map((word) => /^(\w+)=(.+)$/.exec(word));
  return pairs.every((pair) => pair !== null)
    ? new Map(pairs.map(([, name, value]) => [name!, value!]))
    : undefined;
}

function readIdentity(
  words: ReadonlyMap<string, string>,
): ProcessIdentity | undefined {
  const start = words.get('start');
  const boot = words.get('boot');
  return start !== undefined && /^\d+$/.test(start) && boot !== undefined
    ? { start: Number(start), boot }
    : undefined;
}

function readNote(words: ReadonlyMap<string, string>): Note | undefined {
  const count = (name: string) => readCount(words.get(name));
  const ready = count('ready');
  if (ready === undefined) return undefined;
  const error = unquote(words.get('error'));
  return {
    ready,
    begun: count('begun') ?? 0,
    ended: count('ended') ?? 0,
    reloaded: count('reloaded') ?? 0,
    ...(error !== undefined && { error }),
  };
}

const readCount = (text = ''): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** One line, which ends within the room that there is. */
function quote(text: string): string {
  for (let length = longestError; ; length--) {
    const quoted = JSON.stringify(text.slice(0, length));
    if (Buffer.byteLength(quoted) <= longestError) return quoted;
  }
}

function unquote(quoted: string | undefined): string | undefined {
  try {
    return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
  } catch {
    return undefined;
  }
}

function overwrite(fd: number, text: string, position: number): void {
  const bytes = Buffer.from(text);
  if (writeSync(fd, bytes, 0, bytes.length, position) < bytes.length)
    throw new PosixError(-constants.errno.ENOSPC, 'write');
}
