/** What the kernel does with a signal. */
import { binding } from '../binding';
import { dispositions, type Signal } from '../constants';
import { check } from '../errors';
import { validateOneOf, validateSignal } from '../validate';

/**
 * Default action, ignored, or caught by a handler: Node's own where there are
 * listeners by `process.on(name)`.
 */
export type Disposition = (typeof dispositions)[number];

/**
 * Sets, or only asks, what the kernel does with a signal, for the whole process.
 * `'ignore'` is inherited by programs that are executed later, and outlives
 * `fork()`.
 *
 * Node is not told. A handler that it has installed for `process.on(name)` is
 * replaced; the listeners stay, but hear nothing more until all of them are
 * removed and one is added again. `'ignore'` for `SIGCHLD` takes the exits of
 * children that run away from `node:child_process`, until it starts another. At its start, Node sets every signal
 * to its default but `SIGPIPE` and `SIGXFSZ`, which it ignores.
 * @param disposition to be set; without it nothing changes
 * @returns the disposition before
 * @throws {PosixError} `EINVAL` `SIGKILL` and `SIGSTOP` cannot be changed
 * @see POSIX.1-2017 signal(), sigaction()
 */
export function signal(
  name: Signal,
  disposition?: 'default' | 'ignore',
): Disposition {
  const number = validateSignal(name, 'name');
  if (disposition !== undefined) {
    validateOneOf(disposition, 'disposition', ['default', 'ignore']);
  }
  const before =
    disposition === undefined
      ? binding.disposition(number)
      : binding.signal(number, dispositions.indexOf(disposition));
  return dispositions[check(before, 'signal')]!;
}
