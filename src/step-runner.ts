/** How steps are run, and taken back. */
import { DaemonError, PosixError } from './errors';
import type { Run, Step } from './step';

/**
 * Runs steps in order. Where one fails, those before it are taken back.
 * @throws {DaemonError} | {PosixError} with `step`
 */
export function runOrUndo(run: Run, table: readonly Step[]): void {
  for (const [index, step] of table.entries()) {
    try {
      runStep(run, step);
    } catch (error) {
      undo(run, table.slice(0, index));
      throw error;
    }
  }
}

/** Takes steps back, the last one first, and what they have made for the log. */
export function undo(run: Run, table: readonly Step[]): void {
  for (const step of [...table].reverse()) step.undo?.(run);
  run.dropLog();
}

/** @throws {DaemonError} | {PosixError} with `step` */
export function runStep(run: Run, step: Step): void {
  try {
    step.run?.(run);
  } catch (error) {
    throw located(error, step);
  }
}

/** The error, with the step it happened in; the kernel's in our own shape. */
function located(error: unknown, { name }: Step): Error {
  if (error instanceof DaemonError || error instanceof PosixError)
    return Object.assign(error, { step: name });
  const { errno, syscall, path } = error as NodeJS.ErrnoException;
  if (errno === undefined || syscall === undefined) return error as Error;
  return Object.assign(new PosixError(errno, syscall, path), { step: name });
}
