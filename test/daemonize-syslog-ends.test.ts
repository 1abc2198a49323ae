// However a daemon ends: its last words are in the log, with the reason.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertStack,
  first,
  linesOf,
  type Logged,
  loggedBy,
  module,
  scenarios,
} from './helpers/daemonize-syslog';
import { needs } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { withFolder } from './helpers/scenario';

const stack = Symbol('the stack of the error');
/** What a daemon is to log after its own lines, and with which status it ends. */
type Ending = [
  way: string,
  crit: typeof stack | readonly (string | RegExp)[],
  status: number,
  reason: RegExp,
];

const exitAt =
  /^process\.exit\(\) at (file:\/\/)?\/.*daemonize-syslog\.cjs:\d+:\d+$/;
const uncaught = /^an error that nobody caught$/;
const main: readonly Ending[] = [
  ['throw', stack, 1, uncaught],
  ['reject', stack, 1, uncaught],
  ['process.exit(3)', [], 3, exitAt],
  ['nothing left', [], 0, /^nothing left to do$/],
  ['SIGTERM', [], 0, /^SIGTERM$/],
];
const others: readonly Ending[] = [
  ['throw a string', ['just text', 'of two lines'], 1, uncaught],
  [
    'reject a string',
    [
      /^UnhandledPromiseRejection: .*reason "just text"\.$/,
      ...[/^ {4}at /, /^ {4}at /, /^ {4}at .* \{$/],
      "  code: 'ERR_UNHANDLED_REJECTION'",
      '}',
    ],
    1,
    uncaught,
  ],
  ['throw null', ['null'], 1, uncaught],
  [
    'throw what cannot be shown',
    ['an error that cannot be shown: its own inspection throws'],
    1,
    uncaught,
  ],
  ['throw under a listener', stack, 5, exitAt],
  ['throw under a capture', stack, 5, exitAt],
  ['process.exit(0)', [], 0, exitAt],
  ['exit by a timer', [], 2, /^process\.exit\(\)$/],
  ['exit with a status of a later listener', [], 4, exitAt],
  ['exit without stack traces', [], 3, exitAt],
  ['nothing left but a status', [], 2, /^nothing left to do$/],
  ['fail with an error', [], 1, /^no port: in use$/],
];

function assertEnding(logged: Logged, [, crit, status, reason]: Ending): void {
  const lines = linesOf(logged);
  const is =
    (priority: string) =>
    ([it]: string[]) =>
      it === priority;
  assert.deepEqual(lines.filter(is('info')), [['info', 'to stdout']]);
  const rest = lines.filter(([priority]) => priority !== 'info');
  const own = rest.splice(0, 100).map(([, text]) => text);
  assert.deepEqual(
    own,
    Array.from({ length: 100 }, (_, i) => `line ${i}`),
  );
  const last = rest.pop()!;
  assert.deepEqual(rest.pop(), ['err', 'the last word']);
  assert.ok(rest.every(is('crit')), JSON.stringify(rest));
  const texts = rest.map(([, text]) => text);
  if (crit === stack) assertStack(texts);
  else assertLike(texts, crit);
  assert.equal(last[0], status === 0 ? 'notice' : 'err');
  const [, told, why] = /^exits with status (\d+): (.*)$/.exec(last[1]) ?? [];
  assert.equal(Number(told), status, last[1]);
  assert.match(why!, reason);
}

function assertLike(
  texts: readonly string[],
  expected: readonly (string | RegExp)[],
): void {
  assert.equal(texts.length, expected.length, texts.join('\n'));
  for (const [index, line] of expected.entries())
    if (typeof line === 'string') assert.equal(texts[index], line);
    else assert.match(texts[index]!, line);
}

for (const [index, node] of nodes.entries())
  for (const ending of index === 0 ? [...main, ...others] : main)
    test(
      `Node.js ${node.version}, end by '${ending[0]}': all is in rsyslogd's log, once and in order, with the reason`,
      needs('rsyslogd'),
      async () => {
        const program = new Program(node, 'program.cjs', scenarios);
        const args = [{ syslog: true }, ending[0]];
        const logged = await loggedBy(program, 'ends', args);
        assert.equal(logged.report.log, 'object');
        assertEnding(logged, ending);
      },
    );

for (const ending of main)
  test(
    `an ES module, end by '${ending[0]}': all is in rsyslogd's log`,
    needs('rsyslogd'),
    async () => {
      const args = [{ syslog: true }, ending[0]];
      assertEnding(await loggedBy(module, 'ends', args), ending);
    },
  );

test(
  'an error thrown by an exit listener, which ends the others, comes once too',
  needs('rsyslogd'),
  async () => {
    const args = [{ syslog: true }, 'throw from an exit listener'];
    const lines = linesOf(await loggedBy(first, 'ends', args));
    const crit = lines.filter(([priority]) => priority === 'crit');
    assert.deepEqual(lines.at(-1), [
      'err',
      'exits with status 3: an error that nobody caught',
    ]);
    assertStack(crit.map(([, text]) => text));
    assert.equal(lines.filter(([, text]) => text.includes('first')).length, 1);
  },
);

test(
  "context.fail() after it is ready comes once, with the error's status, a line each",
  needs('rsyslogd'),
  async () => {
    const args = [{ syslog: true }, 'fail with a status'];
    const lines = linesOf(await loggedBy(first, 'ends', args));
    assert.deepEqual(lines.slice(-3), [
      ['err', 'the last word'],
      ['err', 'exits with status 9: a line'],
      ['err', 'and more'],
    ]);
    assert.equal(lines.filter(([, text]) => text.includes('a line')).length, 1);
  },
);

test(
  'a signal that nobody hears is told as the end, after what was printed',
  needs('rsyslogd'),
  async () => {
    const args = [{ syslog: true }, 'SIGHUP'];
    const lines = linesOf(await loggedBy(first, 'ends', args));
    assert.deepEqual(lines.slice(-2), [
      ['err', 'line 99'],
      ['err', 'ends by SIGHUP'],
    ]);
  },
);

test(
  'below a chroot without /dev/log and /dev/null, as nobody, the connection made before serves',
  needs('rsyslogd'),
  () =>
    withFolder(async (folder) => {
      const chroot = `${folder}/root`;
      mkdirSync(chroot);
      const options = { syslog: true, chroot, user: 'nobody' };
      const args = [options, 'throw'];
      assertEnding(await loggedBy(first, 'ends', args), main[0]!);
    }),
);

test(
  "a copy's end is not told as the daemon's",
  needs('rsyslogd'),
  async () => {
    const { entries } = await loggedBy(first, 'copies', [{ syslog: true }]);
    assert.deepEqual(
      entries.map(({ text }) => text),
      ['exits with status 0: nothing left to do'],
    );
  },
);

test(
  'what cannot be sent at the end is in the fallback file, with its priority',
  needs('rsyslogd'),
  () =>
    withFolder(async (folder) => {
      const fallback = `${folder}/fallback`;
      const syslog = { ident: 'lost', fallback, flushTimeout: 500 };
      const through = [join(__dirname, 'helpers/private-dev')];
      const args = [{ syslog }, 'throw'];
      await first.play('ends', args, { through }, (probe) => probe.gone());
      const text = readFileSync(fallback, 'utf8');
      for (const line of [
        'line 99',
        'TypeError: first',
        'the last word',
        'exits with status 1: an error that nobody caught',
      ])
        assert.match(text, new RegExp(`lost\\[\\d+\\]: ${line}\n`));
    }),
);

test(
  'all that is printed before an abort is in the log',
  needs('rsyslogd'),
  () =>
    withFolder(async (folder) => {
      const stderr = `${folder}/err`;
      await loggedBy(first, 'dies', [{ syslog: true, stderr }, 'abort']);
      const printed = readFileSync(stderr, 'utf8').split('\n').slice(0, -1);
      const args = [{ syslog: true }, 'abort'];
      const lines = linesOf(await loggedBy(first, 'dies', args));
      assert.ok(lines.every(([priority]) => priority === 'err'));
      assert.match(lines[0]![1], /^its last words, without a newline/);
      assert.equal(lines.length, printed.length);
    }),
);

test('V8 tells the log that no memory is left', needs('rsyslogd'), async () => {
  const args = [{ syslog: true }, 'no memory'];
  const execArgv = ['--max-old-space-size=20'];
  const lines = linesOf(await loggedBy(first, 'dies', args, { execArgv }));
  const fatal = lines.findIndex(([, text]) =>
    /^FATAL ERROR: .*JavaScript heap out of memory$/.test(text),
  );
  assert.equal(lines[fatal]?.[0], 'err');
  // The stack that Node prints to the end.
  assert.match(lines.at(-1)![1], /^ ?\d+: 0x[0-9a-f]+ .*\[.*node.*\]$/);
});
