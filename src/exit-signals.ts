/** Signals that end a process: what is queued for the log is sent first. */
import { isMainThread } from './posix/fork';
import { settleLogPipes } from './posix/log-pipes';
import {
  flushAllLogs,
  onWorkerQueue,
  tellOfWorkerQueue,
} from './posix/log-queue';
import { signal } from './posix/signals';

const names = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
type Name = (typeof names)[number];

let users = 0;
const listening = new Set<Name>();
const lastWords = new Set<(name: NodeJS.Signals) => void>();

if (isMainThread()) onWorkerQueue(() => void flushOnSignals());

/**
 * Until the function returned is called, a signal that the program does not
 * listen to waits for the log before it ends the process as ever, with the same
 * status. Called in a Worker, which gets no signals, it has the main thread do
 * that, to the end of the process: a Worker may end without a word.
 */
export function flushOnSignals(): () => void {
  if (!isMainThread()) {
    tellOfWorkerQueue();
    return () => {};
  }
  users++;
  for (const name of names) {
    // One that is ignored stays so.
    if (listening.has(name) || signal(name) === 'ignore') continue;
    listening.add(name);
    process.on(name, flushAndEnd);
  }
  let inUse = true;
  return () => {
    if (inUse && --users === 0) stopListening();
    inUse = false;
  };
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
  return process.listenerCount(name) > own + ours;
}

function flushAndEnd(name: NodeJS.Signals): void {
  if (isHeardByProgram(name)) return;
  for (const say of lastWords) say(name);
  settleLogPipes();
  flushAllLogs();
  stopListening();
  process.kill(process.pid, name);
}

function stopListening(): void {
  for (const name of listening) process.removeListener(name, flushAndEnd);
  listening.clear();
}
