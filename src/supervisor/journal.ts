/** What the supervisor has to say, beside what the command writes. */
import { fstatSync, statSync } from 'node:fs';
import {
  createSyslogStream,
  type SyslogStream,
} from '../logging/syslog-stream';
import { writeAll } from '../posix/loop';
import type { Decision, End } from './policy';

const ident = 'posix-daemonize';

let log: SyslogStream | undefined;

/**
 * A line on standard error, where the command's errors are; or in the system log,
 * if that is /dev/null.
 */
export function say(text: string): void {
  try {
    if (isNull(2))
      (log ??= createSyslogStream({ ident })).send('warning', text);
    else writeAll(2, Buffer.from(`${ident}: ${text}\n`));
  } catch {
    // A full disk or a pipe without a reader must not end the daemon.
  }
}

/** What fails here is told, and keeps nothing from going on. */
export function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    say((error as Error).message);
  }
}

function isNull(fd: number): boolean {
  return fstatSync(fd).rdev === statSync('/dev/null').rdev;
}

/** `ended with status 1`, for a sentence. */
export function describeEnd({ exitCode, signal }: End): string {
  return signal === null
    ? `ended with status ${exitCode}`
    : `was ended by ${signal}`;
}

/** What becomes of it. */
export function describeDecision(
  decision: Decision,
  restarts: number,
  limit: { restarts: number; window: number } | undefined,
): string {
  if (decision.restart)
    return `restart ${restarts + 1} in ${decision.delay} ms`;
  if (decision.because === 'final') return 'which is its end';
  const { restarts: most, window } = limit!;
  return `given up: ${most} restarts in ${window / 1000} s are the limit`;
}
