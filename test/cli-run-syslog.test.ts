import assert from 'node:assert/strict';
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
