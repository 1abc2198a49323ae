/** The other side of the fork: from here on only a supervisor returns. */
import { fork } from '../../posix/fork';
import { _exit } from '../../posix/process';
import { setsid } from '../../posix/session';
import type { Run, Step } from '../../step';
import { runStep } from '../../step-runner';
import { asFailure } from '../failure';
import { explainExec } from './exec-error';
import type { Wires } from './wires';

/**
 * The process in between: a session of its own, the daemon in it, and what
 * brings its lines to the system log; then it leaves.
 */
export function leaveSession(
  run: Run,
  steps: readonly Step[],
  wires: Wires,
): void {
  try {
    setsid();
    const pid = fork();
    if (pid === 0) return becomeCommand(run, steps, wires);
    wires.withhold();
    wires.lines.start(pid);
    _exit(0);
  } catch (error) {
    fail(error, wires);
  }
}

function becomeCommand(
  run: Run,
  steps: readonly Step[],
  { channel }: Wires,
): void {
  let at = '';
  try {
    channel.tell({ pid: process.pid });
    run.pidfile?.adopt();
    for (const step of steps) {
      at = step.name;
      if (at === 'exec') channel.tell({ executes: true });
      runStep(run, step);
    }
  } catch (error) {
    fail(at === 'exec' ? explainExec(error) : error, { channel });
  }
}

function fail(error: unknown, { channel }: Pick<Wires, 'channel'>): never {
  try {
    const { message, hint, status } = asFailure(error);
    channel.tell({ failure: { message, hint, status } });
  } finally {
    _exit(1);
  }
}
