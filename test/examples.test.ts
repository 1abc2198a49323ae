import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  daemon,
  describeDaemon,
  examples,
  found,
  launched,
  runExample,
  stop,
} from './helpers/examples';
import { needs, texts, withLogDaemon } from './helpers/log-daemon';
import { isGone } from './helpers/processes';
import { until, withFolder } from './helpers/scenario';

test('daemon-init.mjs writes to the terminal before it is a daemon, and greets in its log', async () =>
  withFolder(async (folder) => {
    const [log, errors] = [join(folder, 'log'), join(folder, 'errors')];
    assert.deepEqual(
      runExample('daemon-init', [log, errors]),
      launched('========main function start!============\n'),
    );

    const greeting = /^Daemon has been created! with pid: (\d+)\n$/;
    const pid = Number((await found(log, greeting))[1]);
    assert.deepEqual(describeDaemon(pid), daemon(log, errors));
    await stop(pid);
    assert.equal(readFileSync(errors, 'utf8'), '');
  }));

test('daemonize-clock.mjs greets on both outputs, and goes on with number and time', async () =>
  withFolder(async (folder) => {
    const [log, errors] = [join(folder, 'log'), join(folder, 'errors')];
    const before = Date.now();
    assert.deepEqual(runExample('daemonize-clock', [log, errors]), launched());

    const greeting = /^Daemon started with pid (\d+)\nDaemon stdout output\n/;
    const pid = Number((await found(log, greeting))[1]);
    try {
      assert.deepEqual(describeDaemon(pid), daemon(log, errors));
      const [, first = '', second = ''] = await found(
        log,
        /^0: (.*)\n1: (.*)\n/m,
      );
      const ctime =
        /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
      assert.match(first, ctime);
      assert.match(second, ctime);
      // It has whole seconds.
      assert.ok(Date.parse(first) > before - 1000, first);
      assert.ok(Date.parse(first) < Date.parse(second), `${first}, ${second}`);
    } finally {
      await stop(pid);
    }
    assert.equal(readFileSync(errors, 'utf8'), 'Daemon stderr output\n');
  }));

test('command-list.mjs starts commands in its session, a second apart, and leaves no zombie', async () =>
  withFolder(async (folder) => {
    const log = join(folder, 'log');
    // The 22nd field: when the shell was started, in hundredths of a second.
    const started = 'echo $PPID $(cut -d" " -f6,22 /proc/$$/stat)';
    assert.deepEqual(
      runExample('command-list', [log, started, `${started}; exit 3`]),
      launched(),
    );

    const answer = /^(\d+) (\d+) (\d+)$/gm;
    const { input } = await found(log, /; exit 3: ended with 3\n/);
    const [[, pid, session, first], [, ppid, sid, second]] = [
      ...input.matchAll(answer),
    ].map((match) => match.map(Number)) as [number[], number[]];
    assert.deepEqual([ppid, sid], [pid, session]);
    assert.notEqual(session, pid);
    assert.ok(second! - first! >= 99, input);
    assert.ok(input.startsWith(`${started}\n`));
    assert.ok(input.includes(`\n${started}: ended with 0\n`));
    await until('the end of the daemon', () => isGone(pid!));
  }));

test(
  'error-log.mjs sends errors to the system log, and looks again at SIGHUP',
  needs('rsyslogd'),
  async () =>
    withFolder(async (folder) => {
      const missing = join(folder, 'missing');
      const args = [__filename, missing];
      await withLogDaemon('rsyslogd', async (log) => {
        const result = runExample('error-log', args, log.through);
        assert.deepEqual(result, launched());
        const failure = `ENOENT: no such file or directory, access '${missing}'`;
        const { pid } = (await log.entriesTo(failure))[0]!;
        assert.deepEqual(describeDaemon(pid), daemon('/dev/null', '/dev/null'));
        process.kill(pid, 'SIGHUP');
        await until('the second look', () => {
          return texts(log.entries(), 'daemon.err').length === 2;
        });
        await stop(pid);
        const entry = (priority: string, text: string) => ({
          priority: `daemon.${priority}`,
          ident: 'error-log',
          pid,
          text,
        });
        const looked = [
          entry('info', `${__filename} can be read`),
          entry('err', failure),
        ];
        assert.deepEqual(await log.entriesTo('stopped'), [
          entry('notice', 'started'),
          ...looked,
          ...looked,
          entry('notice', 'stopped'),
        ]);
      });
    }),
);

test('examples/README.md names each example, and nothing else', () => {
  const text = readFileSync(join(examples, 'README.md'), 'utf8');
  const named = [...text.matchAll(/^\| \[`(\S+)`\]\(\1\) /gm)];
  assert.deepEqual(
    named.map(([, name]) => name).sort(),
    readdirSync(examples).filter((name) => name !== 'README.md'),
  );
});
