import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { type Entry, needs, playLogged, texts } from './helpers/log-daemon';
import { nodes, type TestNode } from './helpers/nodes';
import { Program } from './helpers/programs';
import { until, withFolder } from './helpers/scenario';

const logged = { stdout: 'syslog', stderr: 'syslog' };

const on = (node: TestNode): Program =>
  new Program(node, 'program.cjs', 'logs');
const first = on(nodes[0]);

const said = [
  'by process.stdout',
  'by console.log',
  'by writeSync',
  'by a child',
  'in two parts',
  'grüße €😀',
  '\\x1b[31mred\\x1b[0m#011tab\\0nul\\x7f\\u0080',
  'f\\xff\\xe2\\x82',
  '%s %n',
  '',
];

/** The lines of a scenario, less those long ones, and those long ones whole. */
function join10k(lines: readonly string[]): [string[], string[]] {
  const others: string[] = [];
  const long: string[] = [];
  let whole = '';
  for (const line of lines) {
    if (!/^(\.\.\.)?(x{99}|€{99})/.test(line)) {
      others.push(line);
      continue;
    }
    assert.ok(Buffer.byteLength(line) <= 8006);
    const more = line.endsWith('...');
    assert.equal(line.startsWith('...'), whole !== '');
    whole += line.slice(whole === '' ? 0 : 3, more ? -3 : undefined);
    if (more) continue;
    long.push(whole);
    whole = '';
  }
  return [others, long];
}

for (const node of nodes) {
  for (const [end, last, errors] of [
    ['exit', ['last words', 'without newline'], []],
    ['nothing more to do', ['last words'], []],
    ['signal', ['last words'], []],
    ['heir', ['last words'], []],
    ['uncaught', ['last words'], ['Error: nobody catches this']],
  ] as const) {
    test(
      `Node.js ${node.version}: all that a daemon says is in rsyslogd's log, line by line, to the end by '${end}'`,
      needs('rsyslogd'),
      () =>
        playLogged(
          'rsyslogd',
          on(node),
          'log',
          [logged, end],
          async (probe, log, stderr) => {
            assert.equal(stderr, 'to the terminal\n');
            const { pid, tty } = await probe.next<{
              pid: number;
              tty: boolean[];
            }>();
            assert.deepEqual(tty, [false]);
            await probe.gone();
            const lastError =
              end === 'uncaught'
                ? `Node.js v${node.version}`
                : 'by console.error';
            const lastOut = end === 'exit' ? 'without newline' : 'last words';
            await log.entriesTo(lastError);
            const entries = await log.entriesTo(lastOut);

            const forked = entries.filter(({ text }) =>
              text.startsWith('forked'),
            );
            assert.equal(forked.length, 1);
            assert.equal(forked[0]!.text, `forked ${forked[0]!.pid}`);
            assert.notEqual(forked[0]!.pid, pid);
            const own = entries.filter((entry) => entry.pid === pid);
            assert.equal(own.length, entries.length - 1);
            for (const { ident } of entries) assert.equal(ident, 'program');

            const [others, long] = join10k(texts(own, 'daemon.info'));
            assert.deepEqual(others, [...said, ...last]);
            assert.deepEqual(long, ['x'.repeat(10_000), '€'.repeat(10_000)]);
            const [first, second, ...stack] = texts(own, 'daemon.err');
            assert.deepEqual(
              [first, second],
              ['child err', 'by console.error'],
            );
            if (errors.length === 0) {
              assert.deepEqual(stack, []);
              return;
            }
            assert.ok(stack.includes(errors[0]), stack.join('\n'));
            assert.ok(stack.some((line) => line.startsWith('    at ')));
          },
        ),
    );
  }
}

test('busybox syslogd gets the same lines', needs('busybox'), () =>
  playLogged('busybox', first, 'log', [logged, 'exit'], async (probe, log) => {
    const { pid } = await probe.next<{ pid: number }>();
    await probe.gone();
    await log.entriesTo('by console.error');
    const entries = await log.entriesTo('last words');
    const own = entries.filter((entry) => entry.pid === pid);
    const short = texts(own, 'daemon.info').filter(({ length }) => length < 99);
    for (const text of ['by process.stdout', 'by a child', 'grüße €😀'])
      assert.ok(short.includes(text), text);
    assert.deepEqual(texts(own, 'daemon.err'), [
      'child err',
      'by console.error',
    ]);
  }),
);

test(
  "the title names a daemon's lines, and stderr may follow stdout",
  needs('rsyslogd'),
  () => {
    const targets = { stdout: 'syslog', stderr: 1, title: 'my-clock' };
    return playLogged(
      'rsyslogd',
      first,
      'log',
      [targets, 'exit'],
      async (probe, log) => {
        await probe.gone();
        const entries = await log.entriesTo('without newline');
        for (const { ident } of entries) assert.equal(ident, 'my-clock');
        assert.deepEqual(texts(entries, 'daemon.err'), []);
        assert.ok(texts(entries, 'daemon.info').includes('by console.error'));
      },
    );
  },
);

test(
  'a burst of 20,000 lines just before the exit arrives whole and in order',
  needs('rsyslogd'),
  () =>
    playLogged(
      'rsyslogd',
      first,
      'burst',
      [logged, 20_000],
      async (probe, log) => {
        const { pid } = await probe.next<{ pid: number }>();
        process.kill(pid, 'SIGUSR2');
        await probe.gone();
        const entries = await log.entriesTo(`burst 19999 ${'x'.repeat(80)}`);
        assert.deepEqual(
          texts(entries, 'daemon.info'),
          Array.from(
            { length: 20_000 },
            (_, n) => `burst ${n} ${'x'.repeat(80)}`,
          ),
        );
      },
    ),
);

test('a daemon whose log daemon was stopped still ends', needs('busybox'), () =>
  playLogged('busybox', first, 'burst', [logged, 5000], async (probe, log) => {
    const { pid } = await probe.next<{ pid: number }>();
    process.kill(log.pid, 'SIGSTOP');
    process.kill(pid, 'SIGUSR2');
    assert.equal(await probe.next(), 'written');
    const start = performance.now();
    await probe.gone();
    const ms = performance.now() - start;
    assert.ok(ms > 500, `waited for its log, ${ms} ms`);
    assert.ok(ms < 10_000, `waited 1 s, ${ms} ms`);
    process.kill(log.pid, 'SIGCONT');
    // What its socket had room for.
    await log.entriesTo(`burst 9 ${'x'.repeat(80)}`);
  }),
);

test(
  'what is on its way to the log at a fork is sent once, by the parent',
  needs('rsyslogd'),
  () => {
    const [forks, lines] = [30, 200];
    return playLogged(
      'rsyslogd',
      first,
      'forks',
      [logged, forks, lines],
      async (probe, log) => {
        const { pid } = await probe.next<{ pid: number }>();
        await probe.gone();
        await until(
          'all entries',
          () => log.entries().length >= forks * (lines + 2),
        );
        const entries = log.entries();
        const expected = Array.from({ length: forks }, (_, count) => [
          ...Array.from(
            { length: lines },
            (_, line) => `line ${count * lines + line}`,
          ),
          'one line',
        ]).flat();
        const own = entries.filter((entry) => entry.pid === pid);
        assert.deepEqual(texts(own, 'daemon.info'), expected);
        const children = entries.filter((entry) => entry.pid !== pid);
        assert.equal(children.length, forks);
        for (const child of children)
          assert.equal(child.text, `forked ${child.pid}`);
      },
    );
  },
);

test(
  'the lines of a stream keep the priority that they were written with',
  needs('rsyslogd'),
  () =>
    playLogged(
      'rsyslogd',
      first,
      'priorities',
      [logged],
      async (probe, log) => {
        await probe.gone();
        const entries = await log.entriesTo('warning 99');
        assert.deepEqual(
          entries.map(({ priority, text }) => `${priority} ${text}`),
          Array.from({ length: 100 }, (_, line) => [
            `daemon.err err ${line}`,
            `daemon.warning warning ${line}`,
          ]).flat(),
        );
      },
    ),
);

test(
  'who writes more than the queue holds waits for a log daemon that reads, and nothing is lost',
  needs('rsyslogd'),
  () => {
    const lines = 20_000;
    const options = { ...logged, syslog: { maxQueueBytes: 1 << 16 } };
    const number = (text: string): number => Number(/\d+$/.exec(text)![0]);
    const inOrder = Array.from({ length: lines }, (_, line) => line);
    return playLogged(
      'rsyslogd',
      first,
      'much',
      [options, lines],
      async (probe, log) => {
        await probe.gone();
        const entries = await log.settled();
        assert.deepEqual(
          texts(entries, 'daemon.info').map(number),
          inOrder.map((line) => line + 1),
        );
        assert.deepEqual(texts(entries, 'daemon.err').map(number), inOrder);
      },
    );
  },
);

test('closefrom() leaves the pipes to the log alone', needs('rsyslogd'), () =>
  playLogged('rsyslogd', first, 'closes', [logged], async (probe, log) => {
    const [report] = await probe.gone<Record<string, number>>();
    assert.equal(report!.status, 0);
    const entries = await log.entriesTo('after');
    assert.deepEqual(
      entries.map(({ text, pid }) => [text, pid]),
      ['before', 'by a child', 'after'].map((text) => [text, report!.pid]),
    );
  }),
);

test(
  'below another root, as another user, a daemon logs through the connection made before',
  needs('rsyslogd'),
  () =>
    withFolder((root) => {
      chmodSync(root, 0o755);
      const options = { ...logged, chroot: root, user: 'nobody' };
      return playLogged(
        'rsyslogd',
        first,
        'below',
        [options],
        async (probe, log) => {
          const { pid, uid } = await probe.next<{ pid: number; uid: number }>();
          assert.notEqual(uid, 0);
          await log.entriesTo('below');
          process.kill(pid, 'SIGUSR2');
          const entries = await log.entriesTo('still');
          assert.deepEqual(texts(entries, 'daemon.info'), ['below', 'still']);
          assert.deepEqual(
            new Set(entries.map((entry) => entry.pid)),
            new Set([pid]),
          );
        },
      );
    }),
);

test(
  "openlog() does not name the lines; its 'perror' sends a message once more, by stderr",
  needs('rsyslogd'),
  () =>
    playLogged('rsyslogd', first, 'perror', [logged], async (probe, log) => {
      const { pid } = await probe.next<{ pid: number }>();
      await probe.gone();
      await log.entriesTo('third');
      const entries = await log.entriesTo(`after[${pid}]: second`);
      const of = (name: string): Entry[] =>
        entries.filter(({ ident }) => ident === name);
      assert.deepEqual(
        [...of('before'), ...of('after')],
        [
          { priority: 'local3.warning', ident: 'before', pid, text: 'first' },
          { priority: 'local4.warning', ident: 'after', pid, text: 'second' },
        ],
      );
      const own = of('program');
      assert.deepEqual(texts(own, 'daemon.err'), [
        `before[${pid}]: first`,
        `after[${pid}]: second`,
      ]);
      assert.deepEqual(texts(own, 'daemon.info'), ['third']);
      assert.equal(entries.length, 5);
    }),
);
