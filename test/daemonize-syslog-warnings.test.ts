// Warnings, and errors that nobody catches: where they go, at which priority.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  assertStack,
  first,
  linesOf,
  type Logged,
  loggedBy,
  scenarios,
} from './helpers/daemonize-syslog';
import { needs, playLogged } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { withFolder } from './helpers/scenario';

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
