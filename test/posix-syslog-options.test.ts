import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, needsOwnDev, sent, withOwnDev } from './helpers/devlog';
import { withFolder } from './helpers/scenario';

test('the option pid adds the pid', needsOwnDev, async () => {
  const [message] = await sent('pid');
  assert.equal(message!.tag, `test[${message!.text}]`);
});

/** Runs what follows while somebody listens on /dev/log, or nobody. */
const listeners = {
  somebody: ['python3', join(__dirname, 'helpers/devlog.py')],
  nobody: [],
};

/** What is on stderr and on /dev/console after three messages. */
async function seen(
  listener: keyof typeof listeners,
  ...options: readonly string[]
): Promise<{ stderr: string; console: string }> {
  // A pipe that keeps what each writer leaves, to its end.
  const script = `
    mkfifo /dev/console
    exec 3<>/dev/console
    "$@" >/dev/null
    exec </dev/console 3>&-
    cat`;
  const scenario = [...listeners[listener], ...command('options', ...options)];
  const words = ['bash', '-ec', script, 'bash', ...scenario];
  const { stdout, stderr } = await withOwnDev(...words);
  return { stderr, console: stdout };
}

test('the option perror writes to stderr as well', needsOwnDev, async () => {
  const stderr = 'test: to see\ntest: and\ntest: to see\n';
  for (const listener of ['somebody', 'nobody'] as const)
    assert.deepEqual(await seen(listener, 'perror'), { stderr, console: '' });
});

test(
  'the option cons writes to the console, but only where there is no log daemon',
  needsOwnDev,
  async () => {
    const { stderr, console } = await seen('nobody', 'cons', 'pid');
    assert.equal(stderr, '');
    assert.match(
      console.replace(/test\[\d+\]/g, 'test'),
      /^test: to see\r?\ntest: and\r?\ntest: to see\r?\n$/,
    );
    const nothing = { stderr: '', console: '' };
    assert.deepEqual(await seen('somebody', 'cons', 'pid'), nothing);
    for (const others of [[], ['pid', 'ndelay', 'odelay', 'nowait']])
      assert.deepEqual(await seen('nobody', ...others), nothing);
  },
);

test(
  'the option ndelay connects at once, the others with the first message',
  needsOwnDev,
  async () => {
    const rows = (await sent('connections')).slice(4);
    assert.deepEqual(
      rows.map(({ text }) => JSON.parse(text) as unknown),
      [
        { options: [], open: 0, used: 1, closed: 0 },
        { options: ['odelay'], open: 0, used: 1, closed: 0 },
        {
          options: ['nowait', 'pid', 'cons', 'perror'],
          open: 0,
          used: 1,
          closed: 0,
        },
        { options: ['ndelay'], open: 1, used: 1, closed: 0 },
      ],
    );
  },
);

test(
  'with ndelay a log reaches through a chroot until it is closed',
  needsOwnDev,
  () =>
    withFolder(async (folder) => {
      assert.deepEqual(
        (await sent('below', folder)).map(({ text }) => text),
        ['connected before'],
      );
    }),
);
