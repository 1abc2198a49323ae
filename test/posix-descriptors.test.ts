import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { close, closefrom, dup2, flock } from '../src/posix/descriptors';
import { start } from './helpers/launch';
import { nodes } from './helpers/nodes';
import {
  type Failure,
  needsRoot,
  play,
  text,
  until,
  withFolder,
} from './helpers/scenario';

const room = 'descriptors';
const [node] = nodes;

test('dup2 gives a file a second number, which exec leaves open', async () => {
  await withFolder(async (folder) => {
    const found = await play(room, 'dup2', [join(folder, 'file')]);
    assert.deepEqual(found, {
      returned: 100,
      closedOnExec: { original: true, copy: 0 },
      text: 'through the copy',
    });
  });
});

test('dup2 refuses what is not open and what is beyond the limit', async () => {
  const { notOpen, beyondLimit } = await play<Record<string, Failure>>(
    room,
    'dup2 refused',
  );
  assert.equal(notOpen!.message, 'EBADF: bad file descriptor, dup2');
  assert.equal(beyondLimit!.code, 'EBADF');
});

test('close closes, once', async () => {
  const { message } = await play<Failure>(room, 'close');
  assert.equal(message, 'EBADF: bad file descriptor, close');
});

test('closefrom closes hundreds of descriptors but the excepted ones', async () => {
  assert.deepEqual(await play(room, 'closefrom'), {
    left: [102, 104],
    afterwards: [],
  });
});

test('a program executed after closefrom has nothing but stdio', async () => {
  // 3 is the folder that ls lists.
  assert.equal(await text(room, 'closefrom and exec'), '0\n1\n2\n3\n');
});

test(
  'closefrom without /proc says so and closes nothing',
  needsRoot,
  async () => {
    await withFolder(async (folder) => {
      const { message } = await play<Failure>(room, 'closefrom without proc', [
        folder,
      ]);
      assert.equal(message, 'ENOENT: no such file or directory, closefrom');
    });
  },
);

test('flock agrees with flock(1) about shared and exclusive locks', async () => {
  await withFolder(async (folder) => {
    const { notOpen, ...found } = await play<{ notOpen: Failure }>(
      room,
      'flock',
      [join(folder, 'file')],
    );
    assert.deepEqual(found, {
      shared: [true, { shared: true, exclusive: false }],
      sharedTwice: true,
      notExclusive: false,
      unlocked: [true, true, { shared: false, exclusive: false }],
      held: false,
      free: [true, { shared: true, exclusive: true }],
    });
    assert.equal(notOpen.message, 'EBADF: bad file descriptor, flock');
  });
});

test('flock waits for the lock of another process', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'file');
    const holder = spawn('flock', [path, 'cat'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await until('the lock', () => locked(holder.pid!, 'holds'));
    const {
      process: waiter,
      launched,
      probe,
    } = start(node, `posix/${room}.cjs`, ['flock waits', path]);
    await until('the waiter', () => locked(waiter.pid!, 'waits'));
    holder.stdin.end();
    assert.equal((await launched).stdout, 'true\n');
    await probe.end();
  });
});

/** Whether /proc/locks says that a process holds a lock, or waits for one. */
function locked(pid: number, how: 'holds' | 'waits'): boolean {
  const arrow = how === 'waits' ? '-> ' : '';
  return new RegExp(`^\\d+: ${arrow}FLOCK +\\w+ +\\w+ +${pid} `, 'm').test(
    readFileSync('/proc/locks', 'utf8'),
  );
}

test('wrong arguments are told as Node tells them', () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
  const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
  for (const [call, expected] of [
    [() => dup2('1' as never, 1), type],
    [() => dup2(1, -1), range],
    [() => close(undefined as never), type],
    [() => close(1e10), range],
    [() => closefrom(-1), range],
    [() => closefrom(1000, null as never), type],
    [() => closefrom(1000, { except: 3 as never }), type],
    [() => closefrom(1000, { except: ['3' as never] }), type],
    [() => closefrom(1000, { excepted: [] } as never), value],
    [() => flock(1, 'lock' as never), value],
    [() => flock(1, 'toString' as never), value],
    [() => flock(1, 'shared', { nonblock: 1 as never }), type],
    [() => flock(1.5, 'shared'), range],
  ] as const) {
    assert.throws(call, expected);
  }
});
