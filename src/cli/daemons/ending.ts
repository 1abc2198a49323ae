/** Ends a daemon: of a supervised one both processes, or tells which lives. */
import { endProcess, stopDaemon, type StopOptions } from '../../control';
import type { DaemonError } from '../../errors';
import { Target } from '../../target';
import { Command } from './command';
import { sweepEmpty, sweepLeftovers } from './leftovers';
import type { Managed, Supervisor } from './managed';
import { findOrphan } from './orphan';
import { farewell, stopOptionsOf, supervisorOf } from './supervisor';

export interface Ended {
  pid: number;
  /** It was a command whose supervisor was gone. */
  isOrphan: boolean;
}

/**
 * @param given what comes before the daemon's own settings
 * @throws as `stopDaemon`
 */
export async function endDaemon(
  daemon: Managed,
  given: StopOptions,
): Promise<Ended> {
  const options = { ...daemon.stop, ...given };
  const orphan = findOrphan(daemon);
  if (orphan) {
    const { pid, pidfile, supervisor } = orphan;
    await holding(Command.named(pidfile), (command) =>
      endCommand(command, supervisor, options),
    );
    sweepLeftovers(daemon);
    return { pid, isOrphan: true };
  }
  sweepLeftovers(daemon);
  const supervisor = supervisorOf(daemon);
  const pid = supervisor
    ? await endSupervised(daemon, supervisor, options)
    : await stopDaemon(daemon.pidfile, options);
  return { pid, isOrphan: false };
}

/** @returns the pid that the supervisor had */
async function endSupervised(
  daemon: Managed,
  supervisor: Supervisor,
  given: StopOptions,
): Promise<number> {
  const options = { ...stopOptionsOf(supervisor), ...given };
  return Target.use(daemon.pidfile, async (target) => {
    const { pid } = target;
    const look = (): Command | undefined =>
      Command.under(pid, daemon, supervisor);
    await holding(look(), async (command) => {
      await endSupervisor(target, options, look);
      // Somebody else has killed the supervisor, or we have.
      await endCommand(command, supervisor, options);
    });
    const orphan = findOrphan(daemon);
    await holding(orphan && Command.named(orphan.pidfile), (command) =>
      endCommand(command, supervisor, options),
    );
    target.sweep();
    sweepLeftovers(daemon);
    sweepEmpty(supervisor.childPidfile);
    return pid;
  });
}

/**
 * A supervisor ends its command itself. Where it is not to have the time for that,
 * the command is killed, for it would go on without a supervisor.
 */
async function endSupervisor(
  target: Target,
  { killTimeout, ...options }: StopOptions,
  look: () => Command | undefined,
): Promise<void> {
  if (killTimeout === undefined) return endProcess(target, options);
  if (await endsWithin(killTimeout, target, options)) return;
  const had = await holding(look(), async (command) => {
    if (command) await kill(command, { timeout: farewell });
    return command !== undefined;
  });
  // It leaves in order, unless it hangs.
  if (had && (await target.ended(farewell))) return;
  await kill(target, options);
}

/** As its supervisor would have done it. */
async function endCommand(
  command: Command | undefined,
  { stopSignal: signal, killTimeout }: Supervisor,
  given: StopOptions,
): Promise<void> {
  if (!command?.isAlive) return;
  const own = { signal, ...(killTimeout !== Infinity && { killTimeout }) };
  await endProcess(command, { ...own, ...given });
}

const kill = (process: Target | Command, options: StopOptions): Promise<void> =>
  endProcess(process, { ...options, signal: 'SIGKILL' });

async function endsWithin(
  timeout: number,
  target: Target,
  options: StopOptions,
): Promise<boolean> {
  try {
    await endProcess(target, { ...options, timeout });
    return true;
  } catch (error) {
    const { code } = error as DaemonError;
    if (code !== 'ERR_DAEMON_STOP_TIMEOUT') throw error;
    return false;
  }
}

async function holding<T>(
  command: Command | undefined,
  use: (command: Command | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await use(command);
  } finally {
    command?.close();
  }
}
