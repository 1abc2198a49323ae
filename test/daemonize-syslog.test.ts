import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DaemonizeOptions, explain } from 'posix-daemonize';
import { identOf } from '../src/logging/syslog-options';
import type { LaunchOptions } from './helpers/launch';
import { type Entry, needs, playLogged } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { withFolder } from './helpers/scenario';

const scenarios = 'daemonize-syslog';
const first = new Program(nodes[0], 'program.cjs', scenarios);
const module = new Program(nodes[0], 'program.mjs', scenarios);

interface Logged {
  report: Record<string, unknown>;
  entries: Entry[];
  stderr: string;
}

/** All that a daemon logs till after its end. */
async function loggedBy(
  program: Program,
  scenario: string,
  args: readonly unknown[],
  launch: LaunchOptions = {},
): Promise<Logged> {
  let logged: Logged;
  await playLogged(
    'rsyslogd',
    program,
    scenario,
    args,
    async (probe, log, stderr) => {
      const [report = {}] = await probe.gone<Logged['report']>();
      logged = { report, stderr, entries: await log.settled() };
    },
    launch,
  );
  return logged!;
}

/** Priority and text of each entry, all of them the daemon's. */
function linesOf({ entries, report: { pid } }: Logged): [string, string][] {
  for (const entry of entries)
    assert.deepEqual([entry.ident, entry.pid], ['program', pid]);
  return entries.map(({ priority, text }) => {
    const [facility, level] = priority.split('.');
    assert.equal(facility, 'daemon');
    return [level!, text];
  });
}

/** The error that daemons end by, as Node prints it, but once and as `crit`. */
function assertStack(lines: readonly string[]): void {
  assert.deepEqual(lines.slice(0, 2), ['TypeError: first', 'second']);
  assert.match(lines[2]!, /^ {4}at .*daemonize-syslog\.cjs:\d+:\d+/);
  const cause = lines.findIndex((line) => line.includes('[cause]'));
  assert.match(lines[cause]!, /^ {2}\[cause\]: RangeError: the reason$/);
  assert.ok(lines.includes('  field: 7,'));
  assert.equal(lines.at(-1), '}');
  assert.equal(lines.filter((line) => line.includes('reason')).length, 1);
}

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

for (const stderr of ['null', 'syslog'])
  test(
    `warnings come once, as warnings, with stderr: '${stderr}'`,
    needs('rsyslogd'),
    async () => {
      const options = { syslog: true, stderr };
      const lines = linesOf(await loggedBy(first, 'warned', [options]));
      assert.deepEqual(lines.pop(), [
        'notice',
        'exits with status 0: nothing left to do',
      ]);
      const own = lines.filter(([priority]) => priority === 'err');
      if (stderr === 'syslog') assert.deepEqual(own, [lines[0], lines.at(-1)]);
      else assert.deepEqual(own, []);
      const texts = lines
        .filter(([priority]) => priority === 'warning')
        .map(([, text]) => text);
      assert.equal(texts.length + own.length, lines.length);
      for (const text of ['[W1] Warning: beware', 'of the dog', 'an old way'])
        assert.equal(texts.filter((line) => line.includes(text)).length, 1);
    },
  );

test(
  'where stderr is the pipe of stdout, warnings and errors still have their priorities',
  needs('rsyslogd'),
  async () => {
    const options = { syslog: true, stdout: 'syslog', stderr: 1 };
    const warned = linesOf(await loggedBy(first, 'warned', [options]));
    const beware = warned.filter(([, text]) => text.includes('beware'));
    assert.deepEqual(
      beware.map(([priority]) => priority),
      ['warning'],
    );
    assert.deepEqual(
      [warned[0], warned.at(-2)],
      [
        ['info', 'before'],
        ['info', 'after'],
      ],
    );
    const lines = linesOf(await loggedBy(first, 'ends', [options, 'throw']));
    const crit = lines.filter(([priority]) => priority === 'crit');
    assertStack(crit.map(([, text]) => text));
    assert.deepEqual(lines.slice(-2), [
      ['info', 'the last word'],
      ['err', 'exits with status 1: an error that nobody caught'],
    ]);
  },
);

test(
  'the log gets what nobody said, and the files of stdout and stderr the rest',
  needs('rsyslogd'),
  () =>
    withFolder(async (folder) => {
      const [stdout, stderr] = [`${folder}/out`, `${folder}/err`];
      const options = { syslog: true, stdout, stderr };
      const logged = await loggedBy(first, 'ends', [options, 'throw']);
      const lines = linesOf(logged);
      assert.deepEqual(lines.pop(), [
        'err',
        'exits with status 1: an error that nobody caught',
      ]);
      assert.ok(lines.every(([priority]) => priority === 'crit'));
      assertStack(lines.map(([, text]) => text));
      assert.equal(readFileSync(stdout, 'utf8'), 'to stdout\n');
      const text = readFileSync(stderr, 'utf8');
      assert.match(
        text,
        /^line 0\n[^]*\nthe last word\n[^]*TypeError: first\n/,
      );
    }),
);

test(
  'until it is ready Node tells the terminal of errors, and the log has them too',
  needs('rsyslogd'),
  async () => {
    const program = new Program(nodes[0], 'program.cjs', scenarios);
    let logged: Logged;
    await playLogged(
      'rsyslogd',
      program,
      'unready',
      [{ syslog: true }],
      async (probe, log, stderr) => {
        const [report = {}] = await probe.gone<Logged['report']>();
        logged = { report, stderr, entries: await log.settled() };
      },
      {},
      1,
    );
    assert.match(logged!.stderr, /throw makeError\(\)[^]*TypeError: first\n/);
    const lines = linesOf(logged!);
    assert.deepEqual(lines.pop(), [
      'err',
      'exits with status 1: an error that nobody caught',
    ]);
    assert.ok(lines.every(([priority]) => priority === 'crit'));
    assertStack(lines.map(([, text]) => text));
  },
);

test(
  'warnings before it is ready are on the terminal and in the log, errors after it in the log',
  needs('rsyslogd'),
  async () => {
    const options = { syslog: true, ready: 'manual' };
    const logged = await loggedBy(first, 'warned', [options]);
    assert.match(
      logged.stderr,
      /^before\n\(node:\d+\) \[W1\] Warning: beware\nof the dog\n[^]*\nafter\n$/,
    );
    const lines = linesOf(logged);
    assert.deepEqual(
      lines.splice(0, 3).map(([priority, text]) => `${priority} ${text}`),
      [
        'warning [W1] Warning: beware',
        'warning of the dog',
        'warning [DEP1] DeprecationWarning: an old way',
      ],
    );
    assert.match(lines.pop()![1], /^exits with status 1: an error/);
    assert.ok(lines.every(([priority]) => priority === 'crit'));
    assertStack(lines.map(([, text]) => text));
  },
);

test(
  "ident, facility and mask are as asked for, and the program's own syslog() has them too",
  needs('rsyslogd'),
  async () => {
    const syslog = {
      ident: 'my-clock',
      facility: 'local3',
      mask: { upTo: 'warning' },
    };
    const options = { syslog, title: 'not-this', stderr: 'null' };
    const args = [options, 'throw a string'];
    const { entries } = await loggedBy(first, 'errs', args);
    const told = entries.map(({ ident, priority, text }) => [
      ident,
      priority,
      text,
    ]);
    assert.deepEqual(told, [
      ['my-clock', 'local3.warning', '[W1] Warning: beware'],
      ['my-clock', 'local3.warning', 'of the dog'],
      ['my-clock', 'local3.warning', 'and me'],
      ['my-clock', 'local3.crit', 'just text'],
      ['my-clock', 'local3.crit', 'of two lines'],
      [
        'my-clock',
        'local3.err',
        'exits with status 1: an error that nobody caught',
      ],
    ]);
  },
);

test(
  'the title is the ident where none is given, and a mask may be a list',
  needs('rsyslogd'),
  async () => {
    const syslog = { ident: undefined, mask: ['info', 'err'] };
    const options = { syslog, title: 'my-title', stderr: 'null' };
    const { entries, report } = await loggedBy(first, 'errs', [
      options,
      'throw',
    ]);
    const { pid } = report;
    const ident = 'my-title';
    assert.deepEqual(entries, [
      { priority: 'daemon.info', ident, pid, text: 'of no importance' },
      {
        priority: 'daemon.err',
        ident,
        pid,
        text: 'exits with status 1: an error that nobody caught',
      },
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

for (const options of [{ syslog: true }, { stdout: 'syslog' }])
  test(
    `context.log writes to the log with ${JSON.stringify(options)}`,
    needs('rsyslogd'),
    async () => {
      const lines = linesOf(await loggedBy(module, 'writes', [options]));
      assert.deepEqual(lines.slice(0, 2), [
        ['warning', 'by a console'],
        ['notice', 'by the log'],
      ]);
    },
  );

test('there is no context.log where nothing goes to the system log', async () => {
  await first.play('ends', [{}, 'nothing left'], {}, async (probe) => {
    assert.equal((await probe.next<{ log: string }>()).log, 'undefined');
  });
});

test(
  'in the foreground stdout and stderr stay as they are, and the end is told',
  needs('rsyslogd'),
  async () => {
    const args = [{ syslog: true, detach: false }, 'fail with an error'];
    await playLogged(
      'rsyslogd',
      first,
      'ends',
      args,
      async (probe, log, stderr) => {
        const { pid } = await probe.next<{ pid: number }>();
        assert.match(
          stderr,
          /^line 0\n[^]*\nposix-daemonize: no port: in use\n/,
        );
        assert.deepEqual(await log.settled(), [
          {
            priority: 'daemon.err',
            ident: 'program',
            pid,
            text: 'exits with status 1: no port: in use',
          },
        ]);
      },
      {},
      1,
    );
  },
);

test('a name that nobody chose for the log is made fit for it', () => {
  assert.equal(identOf('my\nclock\0'), 'my?clock?');
  assert.equal(identOf('x'.repeat(100_000)), 'x'.repeat(48));
  assert.equal(identOf(`x${'😀'.repeat(20)}`), `x${'😀'.repeat(11)}`);
  assert.equal(identOf(''), identOf());
});

test('a name that is not fit for the log is told before anything is done', () => {
  for (const ident of ['my\nclock', '€'.repeat(17)])
    assert.throws(() => explain({ syslog: { ident } }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^The property 'options\.syslog\.ident' must be a string /,
    });
});

test(
  'a try that fails in the foreground leaves nothing behind in the log, and another may follow',
  needs('rsyslogd'),
  async () => {
    const syslog = { mask: { upTo: 'notice' } };
    const options = { detach: false, syslog };
    const env = { NOTIFY_SOCKET: '/nowhere/notify' };
    await playLogged(
      'rsyslogd',
      first,
      'failsOnce',
      [options],
      async (probe, log) => {
        const { before, after, ...error } = await probe.next<{
          before: number[];
          after: number[];
        }>();
        assert.deepEqual(error, { code: 'ENOENT', step: 'ready' });
        assert.deepEqual(after, before);
        const { pid, during } = await probe.next<{
          pid: number;
          during: number[];
        }>();
        assert.equal(during.at(-1), 6);
        await probe.gone();
        const lines = linesOf({
          report: { pid },
          entries: await log.settled(),
          stderr: '',
        });
        assert.deepEqual(lines, [
          ['notice', 'exits with status 0: nothing left to do'],
        ]);
      },
      { env },
    );
  },
);

test('stdout and stderr lead to the log of the option, where nothing else is said', () => {
  const targets = (options: DaemonizeOptions): string | undefined =>
    explain(options).find(({ name }) => name === 'stdio')?.does;
  const syslog = { facility: 'local0' } as const;
  for (const [options, expected] of [
    [{ syslog }, '0: /dev/null, 1: syslog, 2: syslog'],
    [{ syslog: true, stdout: 'null' }, '0: /dev/null, 1: /dev/null, 2: syslog'],
    [{ syslog: true, stderr: '/err' }, '0: /dev/null, 1: syslog, 2: /err'],
    [{ syslog: false }, '0: /dev/null, 1: /dev/null, 2: /dev/null'],
    [{ syslog, detach: false }, '0: inherit, 1: inherit, 2: inherit'],
  ] as const)
    assert.equal(targets({ detach: true, ...options }), expected);
});

test('a fallback file that cannot be opened is an error in the terminal, and nothing was done', () =>
  withFolder(async (folder) => {
    const fallback = `${folder}/missing/log`;
    const syslog = { fallback };
    const args = [{ syslog }, { syslog: { fallback: `${folder}/log` } }];
    await first.play('refused', args, {}, async (probe) => {
      assert.deepEqual(await probe.next(), {
        code: 'ENOENT',
        step: 'open',
        path: fallback,
        same: true,
      });
    });
  }));

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
