import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { signalName, signalNumber } from '../src/constants';
import { signal } from '../src/posix/signals';
import { launch } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { type Failure, play } from './helpers/scenario';

const room = 'signals';

test('our numbers of signals are those that Node was compiled with', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    assert.equal(signalNumber(name), number, name);
  }
});

test('each number has a name, which has the number', () => {
  for (let number = 1; number <= 64; number++) {
    assert.equal(signalNumber(signalName(number)), number);
  }
});

test('every signal can be ignored and set back to its default', async () => {
  const { rows, left } = await play<{
    rows: { name: string }[];
    left: string;
  }>(room, 'each');
  assert.ok(rows.length >= 31);
  for (const { name, ...row } of rows) {
    assert.deepEqual(
      row,
      { before: 'default', ignored: true, during: 'ignore', after: 'default' },
      name,
    );
  }
  assert.equal(left, '0000000000000000');
});

test('real-time signals are counted from the first to number 64 at most', async () => {
  const rows = await play<number[][]>(room, 'real time');
  const [first] = rows[0]!;
  // glibc keeps two for itself, musl three.
  assert.ok(first === 34 || first === 35);
  assert.deepEqual(
    rows,
    rows.map((_, i) => [first + i]),
  );
});

for (const node of nodes) {
  test(`Node.js ${node.version} ignores SIGPIPE and SIGXFSZ from its start`, async () => {
    assert.deepEqual(await play(room, 'at the start', [], { node }), [
      'ignore',
      'ignore',
      'default',
    ]);
  });
}

test('a signal with listeners is caught, which asking does not change', async () => {
  assert.deepEqual(await play(room, 'caught'), [
    'caught',
    true,
    'caught',
    'ignore',
  ]);
});

test('an ignored SIGTERM ends nobody', async () => {
  assert.equal(await play(room, 'survives'), 'alive');
});

test('a default SIGTERM ends a process that listens for it', async () => {
  const { status, signal } = await launch(nodes[0], `posix/${room}.cjs`, [
    'ends by default',
  ]);
  assert.deepEqual({ status, signal }, { status: null, signal: 'SIGTERM' });
});

test('an ignored signal is ignored by a program executed next', async () => {
  assert.equal(await play(room, 'ignored in the next program'), 'alive');
});

test('SIGKILL and SIGSTOP are refused with EINVAL', async () => {
  for (const error of await play<Failure[]>(room, 'refused')) {
    assert.equal(error.message, 'EINVAL: invalid argument, signal');
    assert.equal(error.errno, -22);
  }
});

test('a wrong name is told in the message', () => {
  assert.throws(() => signal('HUP' as never), {
    message:
      "The argument 'name' must be the name of a signal, such as 'SIGHUP'." +
      " Received 'HUP'",
  });
});

test('wrong names are told as Node tells them', () => {
  const code = 'ERR_INVALID_ARG_VALUE';
  for (const name of [
    'HUP',
    'SIGFOO',
    'toString',
    'SIGRTMIN+31',
    'SIGRTMIN+1x',
    'SIGRTMIN-9',
    1,
    undefined,
  ]) {
    assert.throws(() => signal(name as never, 'ignore'), { code });
  }
  assert.throws(() => signal('SIGUSR2', 'caught' as never), {
    code,
    message:
      "The argument 'disposition' must be one of: 'default', 'ignore'." +
      " Received 'caught'",
  });
});
