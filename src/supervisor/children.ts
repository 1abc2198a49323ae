/** The ends of children, of which Node knows nothing. */
import { waitpid, type WaitStatus } from '../posix/process';

/**
 * Calls back for each child that ends from now on, and leaves no zombie: also
 * not of orphans, which process 1 of a container adopts. `node:child_process`
 * must not be used besides.
 */
export function reapChildren(callback: (status: WaitStatus) => void): void {
  const reap = (): void => {
    for (let status; (status = next());) callback(status);
  };
  process.on('SIGCHLD', reap);
  // Those that ended before; and nothing else keeps the event loop going.
  setImmediate(reap);
  setInterval(() => {}, 0x7fffffff);
}

function next(): WaitStatus | null {
  try {
    return waitpid(-1, { nohang: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECHILD') return null;
    throw error;
  }
}
