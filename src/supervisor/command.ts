/** One run of the command. */
import { type Signal, signalNumber } from '../constants';
import { PosixError } from '../errors';
import { spawn } from '../posix/spawn';
import type { SupervisorOptions } from './options';

/** @throws {PosixError} it could not be executed */
export function startCommand(
  options: SupervisorOptions,
  isFirst: boolean,
): number {
  const { file, argv, env = process.env, orphan, stopSignal } = options;
  const readiness = isFirst ? options.readiness : undefined;
  return spawn(file, argv, {
    env: { ...env, ...readiness?.env },
    fds: descriptors(options.preserveFds, readiness?.fds ?? new Map()),
    group: 'own',
    ...(orphan === 'stop' && { deathSignal: stopSignal }),
  });
}

function descriptors(
  preserved: readonly number[],
  added: ReadonlyMap<number, number>,
): number[] {
  const passed = new Map([0, 1, 2, ...preserved].map((fd) => [fd, fd]));
  for (const [number, fd] of added) passed.set(number, fd);
  const length = Math.max(...passed.keys()) + 1;
  return Array.from({ length }, (_, fd) => passed.get(fd) ?? -1);
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
    return process.kill(pid, signalNumber(signal)!);
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
