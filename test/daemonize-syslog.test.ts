import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { explain } from '../src/daemonize';
import { identOf } from '../src/logging/syslog-options';
import { type Entry, needs, playLogged, texts } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { withFolder } from './helpers/scenario';

const first = new Program(nodes[0], 'program.cjs', 'daemonize');
const info = 'of no importance';
const warning = ['[W1] Warning: beware', 'of the dog', 'and me'];

/** What a daemon logs that is warned, and then ends in one of several ways. */
async function entriesOf(
  program: Program,
  options: object,
  how: string,
): Promise<{ entries: Entry[]; pid: number; stderr: string }> {
  let result: Awaited<ReturnType<typeof entriesOf>>;
  await playLogged(
    'rsyslogd',
    program,
    'errs',
    [options, how],
    async (probe, log, stderr) => {
      const { pid } = await probe.next<{ pid: number }>();
      await probe.gone();
      // Node says so after the stack, which goes its own way.
      if ('stderr' in options)
        await log.entriesTo(`Node.js v${program.node.version}`);
      result = { pid, stderr, entries: await log.entriesTo('the end') };
    },
  );
  return result!;
}

/** The error that the daemons end by, as Node prints it. */
function assertStack(lines: readonly string[]): void {
  assert.deepEqual(lines.slice(0, 2), ['TypeError: first', 'second']);
  assert.match(lines[2]!, /^ {4}at .*daemonize\.cjs:\d+:\d+/);
  const cause = lines.findIndex((line) => line.includes('[cause]'));
  assert.match(lines[cause]!, /^ {2}\[cause\]: RangeError: the reason$/);
  for (const line of lines.slice(2, cause))
    assert.match(line, /^ {4}at .*\)?( \{)?$/);
  assert.equal(lines.at(-1), '}');
}

for (const node of nodes)
  for (const [door, how] of [
    ['program.cjs', 'throw'],
    ['program.mjs', 'reject'],
  ] as const)
    test(
      `Node.js ${node.version}, ${door}: warnings and the stack of what nobody catches (${how}) are in rsyslogd's log`,
      needs('rsyslogd'),
      async () => {
        const program = new Program(node, door, 'daemonize');
        const { entries, pid } = await entriesOf(
          program,
          { syslog: true },
          how,
        );
        for (const entry of entries)
          assert.deepEqual([entry.ident, entry.pid], ['program', pid]);
        assert.deepEqual(texts(entries, 'daemon.info'), [info]);
        assert.deepEqual(texts(entries, 'daemon.warning'), warning);
        assertStack(texts(entries, 'daemon.crit'));
        assert.deepEqual(texts(entries, 'daemon.alert'), ['the end']);
        const priorities = new Set(entries.map(({ priority }) => priority));
        assert.equal(priorities.size, 4);
      },
    );

test(
  'ident, facility and mask are as asked for, and what is no error is told too',
  needs('rsyslogd'),
  async () => {
    const syslog = {
      ident: 'my-clock',
      facility: 'local3',
      options: ['pid', 'ndelay'],
      mask: { upTo: 'warning' },
    };
    const options = { syslog, title: 'not-this' };
    const { entries, pid } = await entriesOf(first, options, 'throw a string');
    assert.deepEqual(
      entries,
      [
        ...warning.map((text) => ['warning', text] as const),
        ['crit', 'just text'] as const,
        ['alert', 'the end'] as const,
      ].map(([priority, text]) => ({
        priority: `local3.${priority}`,
        ident: 'my-clock',
        pid,
        text,
      })),
    );
  },
);

test(
  'the title is the ident where none is given, and a mask may be a list',
  needs('rsyslogd'),
  async () => {
    const syslog = { ident: undefined, mask: ['info', 'alert'] };
    const options = { syslog, title: 'my-title' };
    const { entries, pid } = await entriesOf(first, options, 'throw');
    assert.deepEqual(entries, [
      { priority: 'daemon.info', ident: 'my-title', pid, text: info },
      { priority: 'daemon.alert', ident: 'my-title', pid, text: 'the end' },
    ]);
  },
);

test(
  'below a chroot without /dev/log, as nobody, the connection made before serves',
  needs('rsyslogd'),
  () =>
    withFolder(async (folder) => {
      const chroot = `${folder}/root`;
      mkdirSync(chroot);
      const options = { syslog: true, chroot, user: 'nobody' };
      const { entries } = await entriesOf(first, options, 'throw');
      assert.deepEqual(texts(entries, 'daemon.info'), [info]);
      assertStack(texts(entries, 'daemon.crit'));
    }),
);

for (const targets of [
  { stderr: 'syslog' },
  { stdout: 'syslog', stderr: 1 },
] as const)
  test(
    `errors come once, by stderr, with ${JSON.stringify(targets)}`,
    needs('rsyslogd'),
    async () => {
      const syslog = { ident: 'once', facility: 'local4' };
      const options = { ...targets, syslog };
      const { entries, pid } = await entriesOf(first, options, 'throw');
      for (const entry of entries)
        assert.deepEqual([entry.ident, entry.pid], ['once', pid]);
      const priority = targets.stderr === 1 ? 'local4.info' : 'local4.err';
      const lines = texts(entries, priority);
      const count = (text: string): number =>
        entries.filter((entry) => entry.text.includes(text)).length;
      assert.equal(count('TypeError: first'), 1);
      assert.equal(count('RangeError: the reason'), 1);
      assert.equal(count('beware'), 1);
      const start = lines.indexOf('TypeError: first');
      assertStack(lines.slice(start, lines.indexOf('}') + 1));
      const other = new Set(
        entries.map((entry) => entry.priority).filter((it) => it !== priority),
      );
      other.delete('local4.info');
      assert.deepEqual([...other], ['local4.alert']);
    },
  );

test(
  'until it is ready errors are on the terminal and in the log',
  needs('rsyslogd'),
  async () => {
    const options = { syslog: true, stderr: 'syslog', ready: 'manual' };
    const { entries, stderr } = await entriesOf(
      first,
      options,
      'be ready and throw',
    );
    assert.match(stderr, /^\(node:\d+\) \[W1\] Warning: beware\n/);
    assert.deepEqual(texts(entries, 'daemon.warning'), warning);
    assert.deepEqual(texts(entries, 'daemon.crit'), []);
    const lines = texts(entries, 'daemon.err');
    const start = lines.indexOf('TypeError: first');
    assertStack(lines.slice(start, lines.indexOf('}') + 1));
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
