/** What a command has said, and whether it has arrived. */
import { constants } from 'node:os';
import { bySignal, exitCodes } from './exit-codes';
import { asFailure, Failure } from './failure';
import { complain, lostOutput } from './terminal';

/**
 * To be called last. Who has not got all of it hears so, and gets no status 0.
 * A reader that has left, as `head -1` does, need not hear: the status is that
 * of a program which SIGPIPE ends, as Unix tools have it.
 */
export function checkOutput(): void {
  const error = lostOutput();
  if (error === undefined) return;
  if (error.code === 'EPIPE') {
    process.exitCode = bySignal + constants.signals.SIGPIPE;
    return;
  }
  const { message, hint } = asFailure(error);
  const text = `standard output is not complete: ${message}`;
  const status = complain(new Failure(text, exitCodes.generic, hint));
  const { exitCode = exitCodes.ok } = process;
  process.exitCode = exitCode === exitCodes.ok ? status : exitCode;
}
