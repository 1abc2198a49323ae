/** The end of a daemon that is asked to stop. */
import type { Context } from './context';
import { isHeardByProgram } from './exit-signals';
import { writeAll } from './posix/loop';
import type { Settings } from './settings';
import { notify } from './systemd/notify';

/**
 * Does what `sigterm`, `sighup` and `onStop` ask for, and gives the PID file
 * back at the end of the process, however that comes but by SIGKILL.
 */
export function listen(context: Context, settings: Settings): void {
  // One that gave up root may not remove a file in root's directory: its status
  // and the listeners that follow are not to suffer.
  process.on('exit', () => tell(() => context.end()));
  const { sighup, sigterm } = settings;
  if (typeof sigterm === 'function') process.on('SIGTERM', sigterm);
  else if (sigterm === 'exit') exitOnSignals(context, settings);
  if (typeof sighup === 'function') process.on('SIGHUP', sighup);
  else if (sighup === 'reopen')
    // The old files stay in use where the new ones cannot be opened.
    process.on('SIGHUP', () => {
      void context.reload(() => context.reopenLogs());
    });
}

function exitOnSignals(context: Context, settings: Settings): void {
  let stopping = false;
  const exit = (signal: NodeJS.Signals): void => {
    // The program listens itself: it is not to be ended under its hands.
    if (stopping || isHeardByProgram(signal, 1)) return;
    stopping = true;
    void stop(context, signal, settings);
  };
  // First: a listener that listens once is gone when it is called.
  process.prependListener('SIGTERM', exit);
  // Ctrl-C. Process 1 of a container would not even die of it.
  if (!settings.detach) process.prependListener('SIGINT', exit);
}

async function stop(
  context: Context,
  signal: NodeJS.Signals,
  { onStop, stopTimeout }: Settings,
): Promise<never> {
  // A child by fork(), with the same listeners, does not speak for the daemon.
  if (process.pid === context.pid) tell(() => notify({ stopping: true }));
  if (onStop) await within(onStop, stopTimeout);
  context.because(signal);
  process.exit();
}

/** An error of `onStop` is one that nobody catches. */
async function within(onStop: () => unknown, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    if (limit === Infinity) return;
    timer = setTimeout(() => {
      say(`onStop did not finish within ${limit} ms`);
      resolve();
    }, limit);
  });
  await Promise.race([onStop(), late]);
  clearTimeout(timer);
}

function tell(action: () => void): void {
  try {
    action();
  } catch (error) {
    say((error as Error).message);
  }
}

function say(text: string): void {
  try {
    writeAll(2, Buffer.from(`posix-daemonize: ${text}\n`));
  } catch {
    // A full disk or a pipe without a reader must not end the daemon.
  }
}
