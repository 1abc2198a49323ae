/** Signals that end a process: what is queued for the log is sent first. */
import { isMainThread } from './posix/fork';
import { endLogLines } from './posix/log-pipes';
import {
  flushAllLogs,
  onWorkerQueue,
  tellOfWorkerQueue,
} from './posix/log-queue';
import { signal } from './posix/signals';

const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type Name = (typeof names)[number];

const listening = new Set<Name>();
const lastWords = new Set<(name: NodeJS.Signals) => void>();

if (isMainThread()) onWorkerQueue(flushOnSignals);

/**
 * From now on a signal that the program does not listen to waits for the log
 * before it ends the process as ever, with the same status. That holds to the
 * end of the process: what is queued outlives its logger. Called in a Worker,
 * which gets no signals, it has the main thread do that.
 */
export function flushOnSignals(): void {
  if (!isMainThread()) return tellOfWorkerQueue();
  for (const name of names) {
    // One that is ignored stays so.
    if (listening.has(name) || signal(name) === 'ignore') continue;
    listening.add(name);
    // First: one that listens once is gone when it is called.
    process.prependListener(name, flushAndEnd);
  }
}

/**
 * Has a function called just before such a signal ends the process, as long as
 * {@link flushOnSignals} holds.
 * @returns takes it back
 */
export function beforeSignalEnds(
  say: (name: NodeJS.Signals) => void,
): () => void {
  lastWords.add(say);
  return () => lastWords.delete(say);
}

/** Whether the program listens to a signal besides `own` listeners. */
export function isHeardByProgram(name: NodeJS.Signals, own = 0): boolean {
  const ours = listening.has(name as Name) ? 1 : 0;
  return process.listenerCount(name) > own + ours + countBystanders();
}

/**
 * Listeners that end the process where nobody else listens: they wait for us as
 * we would for them. The package signal-exit counts its own, so that several
 * versions of it can tell: version 3 on the process, 4 on the global object.
 */
function countBystanders(): number {
  const count = (holder: object, name: PropertyKey): number => {
    const counter = Reflect.get(holder, name) as { count?: number } | undefined;
    return counter?.count ?? 0;
  };
  return (
    count(process, '__signal_exit_emitter__') +
    count(globalThis, Symbol.for('signal-exit emitter'))
  );
}

function flushAndEnd(name: NodeJS.Signals): void {
  if (isHeardByProgram(name)) return;
  for (const say of lastWords) say(name);
  endLogLines();
  flushAllLogs();
  for (const one of listening) process.removeListener(one, flushAndEnd);
  listening.clear();
  process.kill(process.pid, name);
}
