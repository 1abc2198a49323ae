/** What those who control a daemon find by its PID file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { reloadDaemon, signalDaemon, stopDaemon } from '../../src/control';
import { identify, recognise } from '../../src/process-identity';

export const notRunning = (path: string) => ({
  name: 'DaemonError',
  code: 'ERR_DAEMON_NOT_RUNNING',
  path,
  message: `not running: nobody holds '${path}'`,
});

/** None of the commands finds a daemon. */
export async function assertNobody(path: string): Promise<void> {
  const expected = notRunning(path);
  assert.throws(() => signalDaemon(path, 'SIGTERM'), expected);
  await assert.rejects(reloadDaemon(path), expected);
  await assert.rejects(stopDaemon(path), expected);
}

export const alive = (pid: number): boolean =>
  recognise(pid, identify(pid)!) === 'alive';

export const boot = readFileSync(
  '/proc/sys/kernel/random/boot_id',
  'utf8',
).trim();
