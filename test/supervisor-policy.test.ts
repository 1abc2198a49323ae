import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RestartOptions } from '../src/supervisor/options';
import { RestartPolicy, statusOf } from '../src/supervisor/policy';
import { readState } from '../src/supervisor/state';
import { withFolder } from './helpers/scenario';

const options: RestartOptions = {
  when: 'always',
  delay: 100,
  maxDelay: 1000,
  resetAfter: 5000,
  limit: undefined,
  finalCodes: [],
};
const failure = { exitCode: 1, signal: null };

test('the delays begin anew once the command was up for long enough', () => {
  const policy = new RestartPolicy(options);
  const delays = [0, 0, 4999, 5000, 0].map((uptime) => {
    const decision = policy.decide(failure, uptime, 0);
    return decision.restart && decision.delay;
  });
  assert.deepEqual(delays, [100, 200, 400, 100, 200]);
});

test('restarts that are longer ago than the window do not count', () => {
  const limit = { restarts: 2, window: 1000 };
  const policy = new RestartPolicy({ ...options, limit });
  const decisions = [0, 500, 1000, 1400].map(
    (now) => policy.decide(failure, 0, now).restart,
  );
  assert.deepEqual(decisions, [true, true, true, false]);
});

test("'on-failure' takes for a clean end what systemd does", () => {
  const policy = new RestartPolicy({ ...options, when: 'on-failure' });
  const restarts = (
    [
      [0, null],
      [1, null],
      [null, 'SIGHUP'],
      [null, 'SIGINT'],
      [null, 'SIGTERM'],
      [null, 'SIGPIPE'],
      [null, 'SIGKILL'],
      [null, 'SIGSEGV'],
    ] as const
  ).map(
    ([exitCode, signal]) => policy.decide({ exitCode, signal }, 0, 0).restart,
  );
  assert.deepEqual(restarts, [
    false,
    true,
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});

test('the status of an end by a signal is the one that a shell gives', () => {
  assert.equal(statusOf({ exitCode: null, signal: 'SIGKILL' }), 137);
  assert.equal(statusOf({ exitCode: 7, signal: null }), 7);
});

test('a state file that somebody else has made is not trusted', () =>
  withFolder((folder) => {
    const path = join(folder, 'x.state');
    const state = { restarts: 1, childPid: null };
    for (const [text, expected] of [
      [JSON.stringify(state), state],
      ['null', undefined],
      ['{}', undefined],
      ['{"restarts":1,"childPid":"1"}', undefined],
      ['{"restarts":', undefined],
      [`{"restarts":1${' '.repeat(5000)}}`, undefined],
    ] as const) {
      writeFileSync(path, text);
      assert.deepEqual(readState(path), expected, text);
    }
    const link = join(folder, 'y.state');
    symlinkSync(path, link);
    const fifo = join(folder, 'z.state');
    execFileSync('mkfifo', [fifo]);
    for (const other of [link, fifo, folder])
      assert.equal(readState(other), undefined, other);
    return Promise.resolve();
  }));
