/** What is known of a daemon's supervisor: from who described it, or itself. */
import type { StopOptions } from '../../control';
import { defaults } from '../../supervisor/options';
import { readState, stateFileOf } from '../../supervisor/state';
import type { Managed, Supervisor } from './managed';

/** ms that a supervisor takes for what it does after the end of its command */
export const farewell = 5000;

/**
 * One that nothing describes, as by `run` without a name, tells of itself in its
 * file of state.
 */
export function supervisorOf({
  supervisor,
  pidfile,
}: Managed): Supervisor | undefined {
  if (supervisor) return supervisor;
  // It left in order, and tells why, where it has ended.
  if (readState(stateFileOf(pidfile))?.ended !== null) return undefined;
  const { stopSignal, killTimeout } = defaults;
  const childPidfile = childPidfileBeside(pidfile);
  return { childPidfile, stopSignal, killTimeout };
}

/** It passes the signal on, kills the command itself, and leaves then. */
export const stopOptionsOf = ({ killTimeout }: Supervisor): StopOptions => ({
  timeout: killTimeout + farewell,
});

/** Where `run --name` has the PID file of the command. */
export const childPidfileBeside = (pidfile: string): string =>
  `${pidfile.replace(/\.pid$/, '')}.child.pid`;
