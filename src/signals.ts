/** What a daemon's signals do before the program has a say. */
import { signalName } from './constants';
import { unblockSignals } from './posix/dispositions';
import { signal } from './posix/signals';

const last = 64;
const ofTheCLibrary = 34;
const jobControl = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/**
 * Empties the signal mask, and sets the real-time signals that a parent process
 * has left ignored to their default. Node has done that for all others at its
 * start: one of them that is ignored now the program wants so.
 * @see daemon(7) "SysV daemons", steps 2 and 3
 */
export function resetSignals(): void {
  for (let number = ofTheCLibrary; number <= last; number++) {
    const name = signalName(number);
    if (signal(name) === 'ignore') signal(name, 'default');
  }
  unblockSignals();
}

/**
 * Nobody can stop the daemon as a job: only SIGSTOP does. Signals that the
 * program uses are left to it.
 * @see Stevens, Unix Network Programming (1990), section 2.6
 */
export function ignoreJobControl(): void {
  for (const name of jobControl)
    if (signal(name) === 'default') signal(name, 'ignore');
}
