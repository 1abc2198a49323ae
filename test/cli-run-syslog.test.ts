import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, withPlace } from './helpers/cli';
import { needs, withLogDaemon } from './helpers/log-daemon';
import { until } from './helpers/scenario';

for (const kind of ['busybox', 'rsyslogd'] as const)
  for (const [title, flag] of [
    ['from a daemon', '--detach'],
    ['in the foreground', '--foreground'],
  ] as const)
    test(
      `--syslog: ${kind} gets each line with the command's pid, ${title}`,
      needs(kind),
      () =>
        withPlace((place) =>
          withLogDaemon(kind, async (log) => {
            const script = 'echo $$; echo wrong >&2; echo last; echo last >&2';
            const { status, stdout, stderr } = await cli(
              [
                ...[
                  'run',
                  flag,
                  '--syslog=my-ident',
                  '--syslog-facility',
                  'local3',
                ],
                ...['--pidfile', place.pidfile, '--', 'sh', '-c', script],
              ],
              { through: log.through },
            );
            assert.deepEqual([status, stdout, stderr], [0, '', '']);
            const { pid } = place;
            await until(
              'both outputs',
              () =>
                log.entries().filter(({ text }) => text === 'last').length ===
                2,
            );
            const lines = log
              .entries()
              .filter(({ ident }) => ident === 'my-ident');
            const of = (priority: string) =>
              lines
                .filter((line) => line.priority === priority)
                .map((line) => [line.pid, line.text]);
            assert.deepEqual(of('local3.info'), [
              [pid, String(pid)],
              [pid, 'last'],
            ]);
            assert.deepEqual(of('local3.err'), [
              [pid, 'wrong'],
              [pid, 'last'],
            ]);
          }),
        ),
    );

/** The loggers of a daemon, not what keeps them. */
function loggers(ident: string): number[] {
  const words = `^/[^ ]*logger -p [a-z. ]+ -t ${ident}\\[`;
  const { stdout } = spawnSync('pgrep', ['-f', words], { encoding: 'utf8' });
  return stdout.trim().split('\n').filter(Boolean).map(Number);
}

for (const [title, options] of [
  ['a command', []],
  ['a supervised command', ['--respawn']],
] as const)
  test(
    `loggers that are killed come back, and ${title} goes on and loses no line`,
    needs('busybox'),
    () =>
      withPlace((place) =>
        withLogDaemon('busybox', async (log) => {
          const ident = `killed-${process.pid}`;
          const script = `echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; echo two >&2; touch done; exec sleep 1000`;
          const files = ['--pidfile', place.pidfile, '--cwd', place.folder];
          const ended = await cli(
            [
              ...['run', '--detach', `--syslog=${ident}`, ...options, ...files],
              ...['--', 'sh', '-c', script],
            ],
            { through: log.through },
          );
          assert.deepEqual([ended.status, ended.stderr], [0, '']);
          const texts = (): string[] =>
            log
              .entries()
              .filter((entry) => entry.ident === ident)
              .map(({ text }) => text);
          await until('the first line', () => texts().includes('one'));
          await until('both loggers', () => loggers(ident).length === 2);
          const killed = loggers(ident);
          for (const pid of killed) process.kill(pid, 'SIGKILL');
          // Written while there is none.
          writeFileSync(join(place.folder, 'go'), '');
          const written = join(place.folder, 'done');
          await until('both lines', () => existsSync(written));
          await until('the log has them', () => texts().length === 3);
          assert.deepEqual(texts(), ['one', 'two', 'two']);
          for (const pid of loggers(ident)) assert.ok(!killed.includes(pid));
          process.kill(place.pid, 'SIGTERM');
          await until('their ends', () => loggers(ident).length === 0);
          assert.equal(
            spawnSync('pgrep', ['-f', `logger .*${ident}`]).status,
            1,
          );
        }),
      ),
  );

test(
  '--stdout syslog without a logger: status 5, and nothing was done',
  needs('busybox'),
  () =>
    withPlace(async (place) => {
      const { status, stderr } = await cli(
        [
          'run',
          '--stdout',
          'syslog',
          '--pidfile',
          place.pidfile,
          '--',
          '/bin/sh',
        ],
        {
          through: [
            'unshare',
            '--mount',
            'sh',
            '-c',
            'mount --bind /dev/null "$(command -v logger)"; exec "$@"',
            '-',
          ],
        },
      );
      assert.equal(status, 5, stderr);
      assert.match(stderr, /^posix-daemonize: there is no logger\(1\)/);
      assert.ok(!place.hasPidfile);
    }),
);
