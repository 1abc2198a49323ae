/** Programs of `fixtures/faults.cjs`: what a failure leaves of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Report } from './launch';
import type { Program } from './programs';

export interface Failure {
  name: string;
  message: string;
  code: string;
  step?: string;
  syscall?: string;
  path?: string;
  thread?: string;
}

export interface Survived {
  error: Failure;
  errors: Failure[];
  before: unknown;
  after: unknown;
  daemon: Report;
}

/** Plays a scenario that fails first and becomes a daemon then. */
export function survive(
  program: Program,
  scenario: string,
  args: unknown[] = [],
  options = {},
): Promise<Survived> {
  return program.play(scenario, args, options, async (probe, launched) => {
    const { status, stdout, stderr } = launched;
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 0, stdout: '', stderr: '' },
    );
    const report = await probe.next<Survived>();
    assert.deepEqual(report.after, report.before, 'all is as before');
    assertDaemon(report.daemon);
    return report;
  });
}

export function assertDaemon(daemon: Report): void {
  assert.equal(daemon.nodePid, daemon.pid);
  assert.notEqual(daemon.sid, daemon.pid);
  assert.equal(daemon.pgid, daemon.sid);
  assert.ok(!existsSync(`/proc/${daemon.sid}`), 'the session leader is gone');
  assert.equal(daemon.cwd, '/');
  assert.equal(daemon.umask, 0);
}
