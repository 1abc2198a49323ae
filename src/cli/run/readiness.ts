/** Whether the command that was launched comes up. */
import { setImmediate } from 'node:timers/promises';
import { signalNumber } from '../../constants';
import type { WaitStatus } from '../../posix/process';
import type { End } from '../../supervisor/policy';
import { readState } from '../../supervisor/state';
import { bySignal, exitCodes } from '../exit-codes';
import { Failure } from '../failure';
import { Child } from './child';
import type { Deadline } from './deadline';
import type { Plan } from './plan';
import { errorFile } from './tail';
import type { Wires } from './wires';

/** For all waits without an end of their own. */
const never = new AbortController().signal;

/**
 * Returns once the command is ready.
 * @throws {Failure} it has ended, with its status; or was ended, because it was
 *   late or the user wanted so
 */
export async function awaitReady(
  plan: Plan,
  wires: Wires,
  deadline: Deadline,
): Promise<void> {
  const { pid, executes, failure } = await wires.channel.hear(deadline.passed);
  // Not even that: the process in between could not fork.
  const child = pid === undefined ? undefined : new Child(pid);
  if (failure) {
    await child?.ended(Infinity);
    throw new Failure(failure.message, failure.status, failure.hint);
  }
  if (child === undefined) {
    const message = 'the daemon was killed before it executed the command';
    throw new Failure(message, exitCodes.generic);
  }
  if (deadline.passed.aborted) throw await endLate(child, plan, wires);
  if (!executes) throw await endOf(child, plan, wires);
  await throughGate(child, plan, wires, deadline);
}

async function throughGate(
  child: Child,
  plan: Plan,
  wires: Wires,
  { passed }: Deadline,
): Promise<void> {
  const { gate } = wires;
  if (!gate) return;
  const over = new AbortController();
  passed.addEventListener('abort', () => over.abort());
  const ended = child.ended(Infinity, over.signal);
  const opened = gate.opened(over.signal);
  // A gate that cannot open any more leaves the other two.
  const open = await Promise.race([
    opened.then((isOpen) => isOpen || ended.then(() => false)),
    ended.then(() => false),
  ]);
  // What it said last is there by now, and seen after a turn of the event loop.
  if (!open) await setImmediate();
  const ready = open || gate.isOpen();
  over.abort();
  if (ready) return;
  throw passed.aborted
    ? await endLate(child, plan, wires)
    : await endOf(child, plan, wires);
}

/** ms */
const grace = 5000;

async function endLate(
  child: Child,
  { readyTimeout, respawn }: Plan,
  { gate }: Wires,
): Promise<Failure> {
  // A supervisor has its own end to wait for first, or that would be left.
  const { killTimeout = 0 } = respawn?.policy ?? {};
  // It takes the file with it.
  const before = restartsOf(respawn);
  await child.end(killTimeout + grace);
  return new Failure(
    `${nameOf(child, respawn)} was not ready within ${readyTimeout} ms and was ended${lastWord(gate?.status)}${before}`,
    exitCodes.generic,
    'give it more time with --ready-timeout, or check that it tells',
  );
}

async function endOf(
  child: Child,
  plan: Plan,
  { gate }: Wires,
): Promise<Failure> {
  const status = await child.ended(Infinity, never);
  return new Failure(
    `${nameOf(child, plan.respawn)} ${describe(status!)} before it was ready${lastWord(gate?.status)}${restartsOf(plan.respawn)}`,
    codeOf(status!),
    whereItSaid(plan),
  );
}

const nameOf = ({ pid }: Child, respawn: Plan['respawn']): string =>
  `the ${respawn ? 'supervisor' : 'command'} (pid ${pid})`;

const lastWord = (status?: string): string =>
  status === undefined ? '' : `: ${status}`;

/** What a supervisor has seen: its words may be where nobody looks. */
function restartsOf(respawn: Plan['respawn']): string {
  const { stateFile } = respawn?.policy ?? {};
  const { restarts = 0, lastExit = null } =
    (stateFile === undefined ? undefined : readState(stateFile)) ?? {};
  if (!lastExit) return '';
  const times = `${restarts} restart${restarts === 1 ? '' : 's'}`;
  return `; the command ${describe(lastExit)}${restarts ? ` last, after ${times}` : ''}`;
}

function describe({ exitCode, signal }: End): string {
  return signal === null
    ? `exited with status ${exitCode}`
    : `was killed by ${signal}`;
}

/** Its own; but an end is no success. */
function codeOf({ exitCode, signal }: WaitStatus): number {
  if (signal !== null) return bySignal + signalNumber(signal)!;
  return exitCode === 0 ? exitCodes.generic : exitCode!;
}

function whereItSaid({ settings: { targets } }: Plan): string | undefined {
  if (targets[2] === 'null')
    return 'what it said went to /dev/null: give --name or --stderr FILE to see it';
  if (targets[2] === 'syslog') return 'the system log has what it said';
  const file = errorFile(targets);
  return file === undefined ? undefined : `its log is '${file}'`;
}
