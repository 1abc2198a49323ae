import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getpgid, getsid, setpgid } from '../src/posix/session';
import type { Report } from './helpers/launch';
import { type Failure, play } from './helpers/scenario';

const room = 'session';

test('getpid, getppid, getpgid and getsid say what the kernel says', async () => {
  interface Ids {
    pid: number;
    ppid: number;
    pgid: number;
    sid: number;
  }
  const { kernel, ours, byPid, parent } = await play<{
    kernel: Ids;
    ours: Ids;
    byPid: Pick<Ids, 'pgid' | 'sid'>;
    parent: { ours: number; oracle: number };
  }>(room, 'ids');
  assert.deepEqual(ours, kernel);
  assert.deepEqual(byPid, { pgid: kernel.pgid, sid: kernel.sid });
  assert.equal(parent.ours, parent.oracle);
});

test('setsid makes a session and a group, and leaves the terminal', async () => {
  const { sid, before, after } = await play<{
    sid: number;
    before: Report;
    after: Report;
  }>(room, 'another process than the leader', [], { pty: true });
  assert.match(String(before.tty), /^\/dev\/pts\//);
  assert.notEqual(before.sid, before.pid);
  assert.equal(sid, after.pid);
  assert.equal(after.sid, after.pid);
  assert.equal(after.pgid, after.pid);
  assert.equal(after.tty, null);
});

test('setsid of a group leader fails with EPERM, as for the package posix', async () => {
  const { ours, oracle } = await play<Record<string, Failure>>(room, 'leader');
  assert.deepEqual(ours, {
    name: 'PosixError',
    message: 'EPERM: operation not permitted, setsid',
    code: 'EPERM',
    errno: -1,
    syscall: 'setsid',
  });
  assert.equal(oracle!.code, ours.code);
});

test('setpgid leads a group of its own and goes back into another one', async () => {
  const { pid, before, own, after } = await play<Record<string, number>>(
    room,
    'groups',
  );
  assert.notEqual(before, pid);
  assert.equal(own, pid);
  assert.equal(after, before);
});

test('ids of processes that are not ours are refused', async () => {
  const failures = await play<Record<string, Failure>>(room, 'refused');
  const codes = Object.entries(failures).map(([name, error]) => [
    name,
    error.code,
    error.syscall,
  ]);
  assert.deepEqual(codes, [
    ['executed', 'EACCES', 'setpgid'],
    ['stranger', 'ESRCH', 'setpgid'],
    ['oracles', 'ESRCH', 'setpgid'],
    ['getsid', 'ESRCH', 'getsid'],
    ['getpgid', 'ESRCH', 'getpgid'],
  ]);
});

test('an id is an integer that is not negative', () => {
  for (const call of [
    (pid: number) => getsid(pid),
    (pid: number) => getpgid(pid),
    (pid: number) => setpgid(pid, 0),
    (pid: number) => setpgid(0, pid),
  ]) {
    for (const [value, code] of [
      ['1', 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [1.5, 'ERR_OUT_OF_RANGE'],
      [NaN, 'ERR_OUT_OF_RANGE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [2 ** 31, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      assert.throws(() => call(value as number), { code });
    }
  }
});
