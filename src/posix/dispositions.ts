/** A signal put out of the way for a while; and the signal mask. */
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
 * The main thread, and so the process, takes every signal: none stays blocked
 * that a parent process had blocked.
 */
export function unblockSignals(): void {
  check(binding.unblockSignals(), 'sigprocmask');
}
