// What the option `syslog` makes of the log: names, targets, `context.log`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DaemonizeOptions, explain } from 'posix-daemonize';
import { identOf } from '../src/logging/syslog-options';
import { first, linesOf, loggedBy, module } from './helpers/daemonize-syslog';
import { needs, playLogged } from './helpers/log-daemon';
import { withFolder } from './helpers/scenario';

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
