import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { facilities, priorities } from '../src/constants';
import { openlog, setlogmask, syslog } from '../src/posix/syslog';
import { launch } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { play } from './helpers/scenario';

const room = 'syslog';
const [node] = nodes;

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;
const needsOwnDev = {
  skip:
    !canMount && 'run as root with CAP_SYS_ADMIN: /dev/log has to be our own',
};

interface Message {
  priority: number;
  tag: string;
  text: string;
}

/** What a scenario sends to /dev/log. */
async function sent(scenario: string): Promise<Message[]> {
  const { stdout } = await promisify(execFile)(
    join(__dirname, 'helpers/private-dev'),
    [
      'python3',
      join(__dirname, 'helpers/devlog.py'),
      node.path,
      '--expose-gc',
      join(__dirname, `fixtures/posix/${room}.cjs`),
      scenario,
    ],
  );
  const { status, messages } = JSON.parse(stdout) as {
    status: number;
    messages: string[];
  };
  assert.equal(status, 0);
  return messages.map(parse);
}

/** `<14>Nov 22 15:30:00 ident[7]: text` */
function parse(message: string): Message {
  const [, priority, tag, text] =
    /^<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (.*?): ?([^]*)$/.exec(message) ?? [];
  assert.ok(text !== undefined, message);
  return { priority: Number(priority), tag: tag!, text };
}

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

test('the option pid adds the pid', needsOwnDev, async () => {
  const [{ tag, text }] = (await sent('pid')) as [Message];
  assert.equal(tag, `test[${text}]`);
});

test(
  'text arrives as it is, and a NUL where it stands',
  needsOwnDev,
  async () => {
    const messages = await sent('text');
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['%s %n %m %%', 'a\\0b', 'grüße', '', 'x'.repeat(9999)],
    );
    for (const { tag } of messages) assert.equal(tag, '100%s');
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
  }>(room, 'masks');
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

test('the option perror writes to stderr as well', async () => {
  const { stderr } = await launch(node, `posix/${room}.cjs`, ['stderr']);
  assert.match(stderr, /^test: to see$/m);
});

test('wrong arguments are told as Node tells them', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  for (const [call, code] of [
    [() => openlog(1 as never), type],
    [() => openlog('a\0b'), value],
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
});
