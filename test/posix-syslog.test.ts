import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facilities, priorities } from '../src/constants';
import { openlog, setlogmask, syslog } from '../src/posix/syslog';
import { datagrams, needsOwnDev, parse, sent } from './helpers/devlog';
import { play } from './helpers/scenario';

test(
  'a log that nobody opened has the name of the program',
  needsOwnDev,
  async () => {
    assert.deepEqual(await sent('plain'), [
      { priority: 8 + 3, tag: 'node', text: 'nobody opened it' },
    ]);
  },
);

test('each priority has its number', needsOwnDev, async () => {
  assert.deepEqual(
    await sent('priorities'),
    Object.entries(priorities).map(([text, number]) => ({
      priority: 3 * 8 + number,
      tag: 'test',
      text,
    })),
  );
});

test(
  'each facility has its number, the kernel’s aside',
  needsOwnDev,
  async () => {
    const [kern, ...others] = (await sent('facilities')).map(
      ({ priority, text }) => [text, priority - priorities.info] as const,
    );
    assert.deepEqual(others, Object.entries(facilities).slice(1));
    // What a C library makes of it: newer ones leave it.
    assert.ok(kern![1] === facilities.kern || kern![1] === facilities.user);
  },
);

test(
  'text arrives as it is, and what is no text becomes visible',
  needsOwnDev,
  async () => {
    const messages = await sent('text');
    assert.deepEqual(
      messages.map(({ text }) => text),
      [
        '%s %n %m %%',
        'a\\0b',
        'grüße €😀',
        'tab\tred\\x1b[31m\\x07\\x7f\\u0085',
        'half \ufffd\uff61 \ufffd',
        '',
      ],
    );
    for (const { tag } of messages) assert.equal(tag, '100%s');
  },
);

test('each line is an entry', needsOwnDev, async () => {
  assert.deepEqual(
    (await sent('lines')).map(({ text }) => text),
    ['one', 'two', '', '  four', 'five', '', 'a\\x0db'],
  );
});

test(
  'a long line comes in pieces of whole characters, with marks, that rsyslog takes',
  needsOwnDev,
  async () => {
    const raw = await datagrams('long');
    for (const datagram of raw) assert.ok(Buffer.byteLength(datagram) <= 8096);
    const lengths = raw.map(parse).map(({ text }) => {
      const [, before, whole, after] =
        /^(\.\.\.)?(.*?)(\.\.\.)?$/.exec(text) ?? [];
      assert.match(whole!, /^(x*|€*|(😀)*|(\\0)*)$/u);
      return [
        before === undefined ? '' : 'on',
        Buffer.byteLength(whole!),
        after === undefined ? '' : 'more',
      ];
    });
    assert.deepEqual(lengths, [
      ['', 8000, ''],
      ['', 8000, 'more'],
      ['on', 1, ''],
      ['', 7998, 'more'],
      ['on', 7995, 'more'],
      ['on', 18_000 - 7998 - 7995, ''],
      ['', 8000, 'more'],
      ['on', 7996, 'more'],
      ['on', 4 * 4001 - 8000 - 7996, ''],
      ['', 8000, 'more'],
      ['on', 2000, ''],
    ]);
  },
);

test(
  'the ident outlives the string that it came from',
  needsOwnDev,
  async () => {
    for (const { tag, text } of await sent('the ident is ours')) {
      assert.equal(tag, `ident ${text}`);
    }
  },
);

test('a closed log is opened again', needsOwnDev, async () => {
  assert.deepEqual(
    (await sent('closed')).map(({ tag, text }) => [tag, text]),
    [
      ['test', 'before'],
      ['again', 'after'],
    ],
  );
});

test('what the mask leaves out is not sent', needsOwnDev, async () => {
  assert.deepEqual(
    (await sent('masked')).map(({ text }) => text),
    ['urgent', 'chosen'],
  );
});

test(
  'Workers that all open the log send whole messages',
  needsOwnDev,
  async () => {
    const messages = await sent('in Workers');
    assert.equal(messages.length, 200);
    for (const { tag, text } of messages) {
      assert.match(tag, /^worker [0-3]$/);
      assert.equal(text, 'from a Worker');
    }
  },
);

test('the mask is that of the package posix', async () => {
  const { first, rows, byOracle } = await play<{
    first: string[];
    rows: {
      mask: string[] | { upTo: string };
      ours: string[];
      oracle: string[];
    }[];
    byOracle: string[];
  }>('syslog', 'masks');
  const all = Object.keys(priorities);
  assert.deepEqual(first, all);
  for (const { mask, ours, oracle } of rows) {
    const expected = Array.isArray(mask)
      ? mask
      : all.slice(0, all.indexOf(mask.upTo) + 1);
    assert.deepEqual(ours, expected);
    assert.deepEqual(new Set(oracle), new Set(expected));
  }
  assert.deepEqual(byOracle, ['alert', 'notice']);
});

test(
  'each datagram is, but for the time, that of the package posix',
  needsOwnDev,
  async () => {
    const all = (await datagrams('as the oracle')).map((datagram) =>
      datagram.replace(/^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d/, '$1time'),
    );
    const groups = [
      ...Object.keys(facilities).map(() => 8),
      ...[5, 5, 5, 5],
      ...[1, 1, 1],
    ];
    let at = 0;
    for (const count of groups) {
      const ours = all.slice(at, at + count);
      assert.deepEqual(ours, all.slice(at + count, at + 2 * count));
      assert.equal(ours.length, count);
      for (const datagram of ours) assert.match(datagram, /^<\d+>time /);
      at += 2 * count;
    }
    assert.equal(at, all.length);
  },
);

test('wrong arguments are told as Node tells them', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  for (const [call, code] of [
    [() => openlog(1 as never), type],
    [() => openlog('a\0b'), value],
    [() => openlog('a\nb'), value],
    [() => openlog('a\x7f'), value],
    [() => openlog('a\x9b'), value],
    [() => openlog('€'.repeat(17)), value],
    [() => openlog('a', 'pid' as never), type],
    [() => openlog('a', ['PID' as never]), value],
    [() => openlog('a', [], 'local8' as never), value],
    [() => syslog('error' as never, 'text'), value],
    [() => syslog('err', new Error('no string') as never), type],
    [() => setlogmask(['error' as never]), value],
    [() => setlogmask('err' as never), type],
    [() => setlogmask({} as never), value],
    [() => setlogmask({ upto: 'err' } as never), value],
  ] as const) {
    assert.throws(call, { code });
  }
  assert.throws(() => openlog('a\nb'), {
    message:
      "The argument 'ident' must be a string without control characters. Received 'a\\nb'",
  });
  assert.throws(() => openlog('x'.repeat(49)), {
    message: /'ident' must be a string of no more than 48 bytes/,
  });
});
