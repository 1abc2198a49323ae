/** A signal put out of the way for a while; and what a parent left behind. */
import { binding } from '../binding';
import { type Signal, signalNumber } from '../constants';
import { check } from '../errors';

/**
 * Ignores a signal until the returned function is called, which gives back
 * what the kernel did with it before, a handler as well.
 */
export function setAside(name: Signal): () => void {
  const number = signalNumber(name)!;
  check(binding.setAside(number), 'sigaction');
  return () => void check(binding.giveBack(number), 'sigaction');
}

/**
 * Empties the main thread's signal mask, and so the process takes every signal
 * that a parent process had blocked. Real-time signals that it has left ignored
 * get their default action; Node has done that for all others at its start: one
 * of them that is ignored now the program wants so.
 * @see daemon(7) "SysV daemons", steps 2 and 3
 */
export function resetSignals(): void {
  check(binding.resetSignals(), 'sigaction');
}
