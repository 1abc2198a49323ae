/** What a daemon's signals do before the program has a say. */
import { signal } from './posix/signals';

const jobControl = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;

/**
 * Nobody can stop the daemon as a job: only SIGSTOP does. Signals that the
 * program uses are left to it.
 * @see Stevens, Unix Network Programming (1990), section 2.6
 */
export function ignoreJobControl(): void {
  for (const name of jobControl)
    if (signal(name) === 'default') signal(name, 'ignore');
}
