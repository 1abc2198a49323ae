import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '../src/constants';
import { getrlimit, setrlimit } from '../src/posix/limits';
import { type Failure, play } from './helpers/scenario';

const room = 'limits';

interface Row {
  resource: string;
  ours: object;
  kernel: object;
  oracle: object;
}

test('getrlimit says what the kernel says, for every resource', async () => {
  const rows = await play<Row[]>(room, 'all');
  assert.deepEqual(
    rows.map(({ resource }) => resource),
    Object.keys(resources),
  );
  for (const { resource, ours, kernel } of rows) {
    assert.deepEqual(ours, kernel, resource);
  }
});

test('getrlimit says what the package posix says', async () => {
  for (const { resource, ours, oracle } of await play<Row[]>(room, 'oracle')) {
    assert.deepEqual(ours, oracle, resource);
  }
});

test('setrlimit sets what it is given and keeps the rest', async () => {
  assert.deepEqual(await play(room, 'set'), {
    both: { soft: 500, hard: 600 },
    soft: { soft: 400, hard: 600 },
    hard: { soft: 400, hard: 550 },
    oracle: { soft: 300, hard: 310 },
  });
});

test('a limit can be taken away', async () => {
  assert.deepEqual(await play(room, 'infinity'), {
    finite: { soft: 1000, hard: 'Infinity' },
    infinite: { soft: 'Infinity', hard: 'Infinity' },
  });
});

test('what the kernel refuses changes nothing', async () => {
  const { raised, crossed, left } = await play<{
    raised: Failure;
    crossed: Failure;
    left: object;
  }>(room, 'refused');
  assert.equal(raised.message, 'EPERM: operation not permitted, setrlimit');
  assert.equal(crossed.message, 'EINVAL: invalid argument, setrlimit');
  assert.deepEqual(left, { soft: 500, hard: 600 });
});

test('wrong arguments are told as Node tells them', () => {
  const before = getrlimit('core');
  for (const [resource, limits, code] of [
    ['RLIMIT_CORE', {}, 'ERR_INVALID_ARG_VALUE'],
    ['core', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['core', { sof: 0 }, 'ERR_INVALID_ARG_VALUE'],
    ['core', { soft: null }, 'ERR_INVALID_ARG_TYPE'],
    ['core', { soft: '0' }, 'ERR_INVALID_ARG_TYPE'],
    ['core', { soft: -1 }, 'ERR_OUT_OF_RANGE'],
    ['core', { soft: 0, hard: 0.5 }, 'ERR_OUT_OF_RANGE'],
    ['core', { soft: 0, hard: NaN }, 'ERR_OUT_OF_RANGE'],
  ] as const) {
    assert.throws(() => setrlimit(resource as never, limits as never), {
      code,
    });
  }
  assert.deepEqual(getrlimit('core'), before);
});
