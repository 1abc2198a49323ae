/**
 * The plot of `run`: the launching process forks, waits until the command is
 * ready, and leaves; or becomes the command itself.
 */
import { assertForkable, fork } from '../../posix/fork';
import { setSubreaper, waitpid } from '../../posix/process';
import { Run, type Step } from '../../step';
import { runOrUndo, undo } from '../../step-runner';
import { dieBy, listenFor } from '../signals';
import { warn } from '../terminal';
import { leaveSession } from './daemon';
import { Deadline } from './deadline';
import { explainExec } from './exec-error';
import type { Plan } from './plan';
import { awaitReady } from './readiness';
import { leaveReceiver } from './receiver';
import { stepsOf } from './steps';
import { Tail } from './tail';
import { Wires } from './wires';

/** Those that a user ends the launching process with. */
const ending = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/**
 * Returns once the command is ready, in the background; and in a supervisor.
 * @returns whether this is still the process that was called
 * @throws {Failure} it will not be, and has ended; or what a step throws
 */
export async function launch(plan: Plan): Promise<boolean> {
  for (const warning of plan.warnings) warn(`warning: ${warning}`);
  if (!plan.settings.detach) {
    becomeCommand(plan);
    return false;
  }
  assertForkable();
  const deadline = new Deadline(plan.readyTimeout);
  const asked = listenFor(ending, () => deadline.pass());
  try {
    return await inBackground(plan, deadline);
  } catch (error) {
    if (asked.first) dieBy(asked.first);
    throw error;
  } finally {
    deadline.end();
  }
}

async function inBackground(plan: Plan, deadline: Deadline): Promise<boolean> {
  const wires = new Wires(plan, deadline);
  const run = runWith(plan, wires);
  const { before, after } = stepsOf(plan, wires);
  runOrUndo(run, before);
  // From where the log ends before the command is there.
  const tail = wires.gate && Tail.of(plan.settings.targets);
  try {
    if (forkDaemon(run, after, wires)) {
      tail?.drop();
      return false;
    }
    await awaitReady(plan, wires, deadline);
  } catch (error) {
    undo(run, before);
    throw error;
  } finally {
    tail?.end();
  }
  // A supervisor reads on itself.
  if (wires.gate && !plan.respawn) await leaveReceiver(wires.gate, run);
  return true;
}

function runWith({ settings }: Plan, { lines }: Wires): Run {
  return new Run({ ...settings, targets: lines.lead(settings.targets) });
}

/**
 * The daemon becomes this process's child when the one in between leaves.
 * @returns whether this is the daemon, as a supervisor
 */
function forkDaemon(run: Run, after: readonly Step[], wires: Wires): boolean {
  setSubreaper(true);
  const between = fork();
  if (between === 0) {
    leaveSession(run, after, wires);
    return true;
  }
  wires.lines.close();
  waitpid(between);
  return false;
}

function becomeCommand(plan: Plan): void {
  const wires = new Wires(plan);
  wires.lines.startApart();
  const { before, after } = stepsOf(plan, wires);
  try {
    runOrUndo(runWith(plan, wires), [...before, ...after]);
  } catch (error) {
    const { step } = error as { step?: string };
    throw step === 'exec' ? explainExec(error) : error;
  }
}
