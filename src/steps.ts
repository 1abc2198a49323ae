/**
 * The table of steps, in their order. Those before the fork happen in the
 * launching process, and each that changes something can be undone; those after
 * it happen in the daemon. A daemon that stays in the foreground leaves out the
 * fork and what belongs to it.
 *
 * daemon(7) closes descriptors, resets signals and cleans the environment before
 * it forks. Here that comes after: a program that could not fork goes on with
 * all it had.
 */
import type { Settings } from './settings';
import type { Step } from './step';
import { beforeFork } from './steps-before-fork';
import { afterFork } from './steps-in-daemon';

/** The steps that these settings ask for, cut where the fork is. */
export function stepsFor(settings: Settings): {
  before: Step[];
  after: Step[];
} {
  const asked = ({ applies }: Step): boolean => applies?.(settings) ?? true;
  return { before: beforeFork.filter(asked), after: afterFork.filter(asked) };
}
