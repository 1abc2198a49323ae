/** Signals to a daemon from outside, by its PID file, and what becomes of them. */
import { watch } from 'node:fs';
import type { Signal } from './constants';
import { DaemonError } from './errors';
import type { Content, Note } from './pidfile-content';
import { readStatus } from './process-identity';
import { pauseFor, Target } from './target';
import {
  validateFunction,
  validateOptions,
  validateSignal,
  validateTime,
} from './validate';

export { statusOf, type DaemonStatus } from './status';

/** Options of `stopDaemon` and `Daemon.stop`. */
export interface StopOptions {
  /** What asks the daemon to end. @defaultValue `'SIGTERM'` */
  signal?: Signal;
  /**
   * How long to wait for the end, in ms, after the last signal.
   * @defaultValue `10000`
   */
  timeout?: number;
  /** After how many ms it is killed by SIGKILL. @defaultValue never */
  killTimeout?: number;
  /** Called about once a second, with the ms waited. */
  onWait?: (pid: number, waited: number) => void;
}

/** Options of `reloadDaemon` and `Daemon.reload`. */
export interface ReloadOptions {
  /** How long to wait until it is ready, in ms. @defaultValue `60000` */
  timeout?: number;
}

const second = 1000;
/** In ms, for who cannot be told of changes. */
const interval = 50;
/** How often a note is looked for that is just being written, and ms between. */
const attempts = 20;
const pause = 5;
/** Its bit in a mask of signals. */
const sighup = 1n;

/**
 * Ends a daemon: sends it a signal, and waits for its end in the event loop. The
 * PID file that it may leave, as by SIGKILL, is removed. Only the process that
 * holds the file can be hit, however pids are used again meanwhile.
 * @returns the pid of the process that has ended
 * @throws {DaemonError} `ERR_DAEMON_NOT_RUNNING` nobody holds the file;
 *   `ERR_DAEMON_STOP_TIMEOUT` (`pid`) it has not ended, and goes on;
 *   `ERR_DAEMON_PID_UNKNOWN` somebody holds it, such as a daemon that has
 *   not written its pid within 2 s; `ERR_DAEMON_UNSAFE_PIDFILE`; `ERR_DAEMON_UNSUPPORTED` Linux before 5.3
 * @throws {PosixError} `EPERM` the daemon belongs to another user; `EACCES` the
 *   file may not be read
 */
export async function stopDaemon(
  pidfile: string,
  options: StopOptions = {},
): Promise<number> {
  const known = ['signal', 'timeout', 'killTimeout', 'onWait'];
  validateOptions(options, 'options', known);
  const { signal = 'SIGTERM', timeout = 10_000, killTimeout } = options;
  validateSignal(signal, 'options.signal');
  validateTime(timeout, 'options.timeout');
  if (killTimeout !== undefined)
    validateTime(killTimeout, 'options.killTimeout');
  const { onWait } = options;
  if (onWait !== undefined) validateFunction(onWait, 'options.onWait');

  return Target.use(pidfile, async (target) => {
    await endProcess(target, { ...options, signal, timeout });
    target.sweep();
    return target.pid;
  });
}

/** A process that can be signalled and waited for, and no other in its place. */
export interface Ending {
  readonly pid: number;
  /** Of its PID file, for errors. */
  readonly path: string;
  signal(signal: Signal): void;
  /** @returns whether it has ended within `ms` */
  ended(ms: number): Promise<boolean>;
}

/**
 * Sends a signal to a process, waits for its end, and kills it where it is told to.
 * @throws {DaemonError} `ERR_DAEMON_STOP_TIMEOUT` it has not ended
 */
export async function endProcess(
  process: Ending,
  { signal = 'SIGTERM', timeout = 10_000, killTimeout, onWait }: StopOptions,
): Promise<void> {
  const { pid, path } = process;
  const begin = performance.now();
  const endedWithin = async (ms: number): Promise<boolean> => {
    const end = performance.now() + ms;
    for (;;) {
      const left = end - performance.now();
      if (await process.ended(Math.max(0, Math.min(left, second)))) return true;
      if (left <= second) return false;
      onWait?.(pid, performance.now() - begin);
    }
  };
  process.signal(signal);
  if (await endedWithin(killTimeout ?? timeout)) return;
  if (killTimeout !== undefined) {
    process.signal('SIGKILL');
    if (await endedWithin(timeout)) return;
  }
  throw new DaemonError('ERR_DAEMON_STOP_TIMEOUT', { pid, path });
}

/**
 * Sends a signal to the process that holds a PID file, and to no other.
 * @returns its pid
 * @throws {DaemonError} `ERR_DAEMON_NOT_RUNNING` and others as {@link stopDaemon}
 * @throws {PosixError} `EPERM`, `EACCES` as {@link stopDaemon}
 */
export function signalDaemon(pidfile: string, signal: Signal): number {
  validateSignal(signal, 'signal');
  const target = Target.open(pidfile);
  try {
    const { pid, path } = target;
    if (target.signal(signal)) return pid;
    throw new DaemonError('ERR_DAEMON_NOT_RUNNING', { path });
  } finally {
    target.close();
  }
}

/**
 * Sends SIGHUP to a daemon, and waits until it says that it is ready again; to
 * one that never says so, as any program that `daemonize()` has not made, no
 * longer than the signal takes. One that SIGHUP would end gets none, nor a
 * supervisor whose command it would end.
 *
 * With `onReload`, `context.reload()` and `sighup: 'reopen'` it waits for a reload
 * that began after the call: what was changed before it has been read, also where
 * another reload is under way. Of a daemon that calls no more than
 * `context.ready()` it counts the first time after the signal.
 * @returns its pid
 * @throws {DaemonError} `ERR_DAEMON_RELOAD_FAILED` (`pid`, `reason`) it goes on
 *   as it was; `ERR_DAEMON_RELOAD_TIMEOUT` (`pid`) it is not ready yet;
 *   `ERR_DAEMON_NOT_READY` (`pid`) it ended meanwhile; `ERR_DAEMON_UNSUPPORTED` it
 *   does not listen to SIGHUP; `ERR_DAEMON_NOT_RUNNING` and others as
 *   {@link stopDaemon}
 * @throws {PosixError} `EPERM`, `EACCES` as {@link stopDaemon}
 */
export async function reloadDaemon(
  pidfile: string,
  options: ReloadOptions = {},
): Promise<number> {
  validateOptions(options, 'options', ['timeout']);
  const { timeout = 60_000 } = options;
  validateTime(timeout, 'options.timeout');
  return Target.use(pidfile, async (target) => {
    assertListens(target);
    const { child, note } = await said(target);
    if (child) assertCommandListens(target, child);
    await sendAndWait(target, note, timeout);
    return target.pid;
  });
}

/** A daemon that has a lock may be about to write its note anew. */
async function said(target: Target): Promise<Partial<Content>> {
  for (let attempt = 1; ; attempt++) {
    const content = target.read();
    const { note, child, locked = true } = content ?? {};
    if (note || child !== undefined || !locked || attempt === attempts)
      return content ?? {};
    await pauseFor(pause);
  }
}

async function sendAndWait(
  target: Target,
  before: Note | undefined,
  timeout: number,
): Promise<void> {
  const { pid, path } = target;
  const over = new AbortController();
  let failure: DaemonError | undefined;
  const look = (): void => {
    const now = target.read()?.note;
    const outcome = before && now && outcomeOf(before, now);
    if (outcome === undefined) return;
    if (outcome === 'failed') {
      const reason = now!.error ?? 'it did not reload';
      const details = { pid, path, reason };
      failure = new DaemonError('ERR_DAEMON_RELOAD_FAILED', details);
    }
    over.abort();
  };
  // It looks from here on: nothing that follows the signal is missed.
  const stopLooking = eachChange(path, look);
  try {
    const alive = target.signal('SIGHUP');
    if (alive && !before) return;
    const ended = await target.ended(timeout, over.signal);
    if (ended) throw new DaemonError('ERR_DAEMON_NOT_READY', { pid, path });
  } finally {
    stopLooking();
  }
  if (failure) throw failure;
  if (!over.signal.aborted)
    throw new DaemonError('ERR_DAEMON_RELOAD_TIMEOUT', { pid, path });
}

/** What became of a reload that began after the first note; undefined: nothing yet. */
function outcomeOf(before: Note, now: Note): 'done' | 'failed' | undefined {
  if (now.ready === 0) return undefined;
  if (now.reloaded > before.begun) return 'done';
  if (now.ended > before.begun) return 'failed';
  // One that says no more than that it is ready.
  const isIdle = before.ended === before.begun && now.begun === before.begun;
  return isIdle && now.ready > before.ready ? 'done' : undefined;
}

/** @returns ends it */
function eachChange(path: string, look: () => void): () => void {
  try {
    const watcher = watch(path, look).on('error', () => {});
    return () => watcher.close();
  } catch {
    // The user has as many watches as he may, the sum of all his programs.
    const timer = setInterval(look, interval);
    return () => clearInterval(timer);
  }
}

/** SIGHUP's default is the end of the process. */
function assertListens({ pid, path }: Target): void {
  if (listens(pid)) return;
  const reason = `process ${pid} of '${path}' does not listen to SIGHUP, and cannot reload`;
  throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
}

/** A supervisor listens, and passes the signal on. */
function assertCommandListens({ pid, path }: Target, child: number): void {
  // Its number may be another's by now; who owns the file could write any.
  if (readStatus(child, 'PPid') !== String(pid) || listens(child)) return;
  const reason = `process ${child}, the command of '${path}', does not listen to SIGHUP, and cannot reload`;
  throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
}

/** Also where /proc does not tell. */
function listens(pid: number): boolean {
  const mask = readStatus(pid, 'SigCgt');
  return mask === undefined || (BigInt(`0x${mask}`) & sighup) !== 0n;
}
