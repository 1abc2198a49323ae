/** One run of the command. */
import { type Signal, signalNumber } from '../constants';
import { PosixError } from '../errors';
import { spawn } from '../posix/spawn';
import type { SupervisorOptions } from './options';

/**
 * With this process's environment, working directory and descriptors, less those
 * with close-on-exec.
 * @throws {PosixError} it could not be executed
 */
export function startCommand(
  options: SupervisorOptions,
  fds: readonly number[],
): number {
  const { file, argv, orphan, stopSignal } = options;
  return spawn(file, argv, {
    fds,
    group: 'own',
    ...(orphan === 'stop' && { deathSignal: stopSignal }),
  });
}

/**
 * Sends a signal to the command and all of its process group, before it is
 * reaped: its number belongs to nobody else till then.
 */
export function signalGroup(pid: number, signal: Signal): void {
  // It may have left the group that it led.
  if (!send(-pid, signal)) send(pid, signal);
}

/** The same to the command alone. */
export function signalCommand(pid: number, signal: Signal): void {
  send(pid, signal);
}

function send(pid: number, signal: Signal): boolean {
  try {
    return process.kill(pid, signalNumber(signal));
  } catch {
    // EPERM: it is another user's by now, and the kernel's answer final.
    return false;
  }
}

/** The status that a shell gives for what could not be executed. */
export function execStatus(error: unknown): number {
  if (!(error instanceof PosixError)) throw error;
  return error.code === 'ENOENT' ? 127 : 126;
}
