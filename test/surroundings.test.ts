import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { nodes } from './helpers/nodes';
import { needsRoot } from './helpers/scenario';
import {
  expect,
  needs,
  needsRootAnd,
  shell,
  stays,
  withReporter,
} from './helpers/surroundings';

const terminal = join(__dirname, 'helpers/terminal.py');

/** A new PID namespace, with its /proc. */
const newPids = ['unshare', '--pid', '--fork', '--mount-proc'];

/** What a systemd service leaves in the environment of all its descendants. */
const leaked = {
  INVOCATION_ID: '0123456789abcdef0123456789abcdef',
  SYSTEMD_EXEC_PID: '1',
  NOTIFY_SOCKET: '/run/systemd/notify',
  PIDFILE: '/run/other.pid',
  LISTEN_PID: '1',
  LISTEN_FDS: '1',
};

/** Quoted for sh; no argument here contains a quote. */
const quote = (command: readonly string[]): string =>
  command.map((word) => `'${word}'`).join(' ');

const always = { skip: false as const };

describe('detectSurroundings', { concurrency: 2 }, () => {
  for (const { version, path } of nodes)
    withReporter(
      `loads nothing heavy and is quick, Node.js ${version}`,
      always,
      async (reporter) => {
        reporter.start([path, ...reporter.command('quick').slice(1)]);
        const { ms, loaded } = await reporter.report('quick');
        assert.ok(ms < 1, `${ms} ms`);
        const heavy = ['child_process', 'net', 'http', 'tls', 'dns'];
        assert.deepEqual(
          loaded.filter((name) => heavy.includes(name)),
          [],
        );
      },
    );

  describe('a shell, and so the background', () => {
    const rows: [title: string, before: string[], skip?: string | false][] = [
      ['a parent that just runs it', []],
      [
        'a session of its own without a terminal, as cron gives',
        ['setsid', '-w'],
      ],
      [
        'a shell on a terminal',
        ['python3', terminal, 'sh', '-c', '"$@"; true', '-'],
      ],
      ['a terminal emulator', ['python3', terminal]],
      [
        'a shell that is process 1',
        [...newPids, 'sh', '-c', '"$@"; true', '-'],
        needsRoot.skip,
      ],
      [
        'a shell that is process 1 of a namespace without its /proc',
        ['unshare', '--pid', '--fork', 'sh', '-c', '"$@"; true', '-'],
        needsRoot.skip,
      ],
    ];
    for (const [title, before, skip = false] of rows) {
      withReporter(title, { skip }, async (reporter) => {
        expect(await reporter.through(before), {
          ...shell,
          evidence: /^started by/,
        });
        // With everything in the environment that means nothing here.
        reporter.start([...before, ...reporter.command('leaked')], {
          env: { ...process.env, ...leaked, SYSTEMD_EXEC_PID: '1234567' },
        });
        expect(await reporter.report('leaked'), shell);
      });
    }

    withReporter(
      "a terminal, with another program's NOTIFY_SOCKET in the environment",
      always,
      async (reporter) => {
        const env = { ...process.env, NOTIFY_SOCKET: '/run/else/notify' };
        expect(await reporter.through(['python3', terminal], { env }), {
          ...shell,
          evidence: /on a terminal$/,
        });
      },
    );

    for (const node of nodes) {
      withReporter(
        `child_process of Node.js ${node.version}, with pipes`,
        always,
        async (reporter) => {
          const [, ...args] = reporter.command('child');
          // The reporter's own descriptor 0 is a socketpair here.
          const script = `require('child_process').spawn(process.execPath, ${JSON.stringify(args)})`;
          reporter.start([node.path, '-e', script]);
          const { evidence, ...report } = await reporter.report('child');
          expect({ ...report, evidence }, shell);
          assert.match(evidence, /node|MainThread/);
        },
      );
    }

    withReporter(
      'a parent with a name that looks like fields of its stat file',
      always,
      async (reporter) => {
        const name = 'a) R 1 1 1 (b';
        const path = join(reporter.folder, name);
        symlinkSync('/bin/sh', path);
        const report = await reporter.through([path, '-c', '"$@"; true', '-']);
        assert.ok(report.evidence.includes(`started by ${name} (pid `));
        expect(report, shell);
      },
    );

    for (const [what, mount] of [
      ['hidden by hidepid', 'mount -t proc -o hidepid=2 proc /proc'],
      ['without any /proc', 'mount -t tmpfs none /proc'],
    ] as const)
      withReporter(`a parent that is ${what}`, needsRoot, async (reporter) => {
        chmodSync(reporter.folder, 0o755);
        chmodSync(join(reporter.folder, 'socket'), 0o777);
        const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
        const line = `${mount} && exec ${nobody} "$@"`;
        const mounting = ['unshare', '--mount', 'sh', '-c', line, '-'];
        expect(await reporter.through(mounting), {
          ...shell,
          evidence: /^started by a process that cannot be seen/,
        });
      });

    withReporter(
      'a program that is named tini, but is not process 1',
      always,
      async (reporter) => {
        const path = join(reporter.folder, 'tini');
        symlinkSync('/bin/sh', path);
        const report = await reporter.through([path, '-c', '"$@"; true', '-']);
        expect(report, { ...shell, evidence: /started by tini/ });
      },
    );

    const ssd = ['start-stop-daemon', '--start', '--pidfile', '/nonexistent'];
    for (const options of [[], ['--background']]) {
      withReporter(
        `start-stop-daemon ${['--start', ...options, '--exec'].join(' ')}`,
        needs(['start-stop-daemon', 'dpkg']),
        async (reporter) => {
          const [node, ...args] = reporter.command('daemon');
          reporter.start([...ssd, ...options, '--exec', node!, '--', ...args]);
          expect(await reporter.report('daemon'), shell);
        },
      );
    }
  });

  describe('a container', () => {
    const initOf = (name: string, ...before: string[]) =>
      [name, [...newPids, ...before], `the parent is ${name} as`] as const;
    for (const [name, before, evidence] of [
      ['unshare', newPids, 'process 1 is this process'],
      ['unshare', ['unshare', '--pid', '--fork'], 'process 1 is this process'],
      initOf('tini', 'tini', '--'),
      initOf('dumb-init', 'dumb-init'),
      initOf('catatonit', 'catatonit', '--'),
    ] as const)
      withReporter(before.join(' '), needsRootAnd([name]), async (reporter) => {
        const report = await reporter.through(before);
        expect(report, stays('container', new RegExp(`^${evidence}`)));
      });

    withReporter(
      'a shell that is process 1 for one command only',
      needsRoot,
      async (reporter) => {
        const line = quote(reporter.command('only'));
        reporter.start([...newPids, '/bin/sh', '-c', line]);
        const report = await reporter.report('only');
        const evidence = /^process 1 is (sh, which waits for )?this process$/;
        expect(report, stays('container', evidence));
      },
    );

    withReporter(
      'npm as process 1',
      needsRootAnd(['npm']),
      async (reporter) => {
        const start = quote(reporter.command('npm'));
        writeFileSync(
          join(reporter.folder, 'package.json'),
          JSON.stringify({ name: 'service', scripts: { start } }),
        );
        reporter.start([...newPids, 'npm', 'start']);
        const evidence =
          /^process 1 is npm start, which waits for this process$/;
        expect(await reporter.report('npm'), stays('container', evidence));
      },
    );
  });

  describe('a supervisor', () => {
    for (const [name, packageName] of [
      ['runsv', 'runit'],
      ['s6-supervise', 's6'],
      ['supervise', 'daemontools'],
    ] as const)
      withReporter(name, needs([name, packageName]), async (reporter) => {
        const service = join(reporter.folder, 'service');
        mkdirSync(service);
        const run = join(service, 'run');
        writeFileSync(
          run,
          `#!/bin/sh\nexec ${quote(reporter.command('service'))}\n`,
        );
        chmodSync(run, 0o755);
        reporter.start([name, service]);
        expect(
          await reporter.report('service'),
          stays('supervisor', new RegExp(`^the parent is ${name}$`)),
        );
      });

    withReporter(
      'supervisord',
      needs(['supervisord', 'supervisor']),
      async (reporter) => {
        const file = join(reporter.folder, 'supervisord.conf');
        writeFileSync(
          file,
          `[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
pidfile = ${join(reporter.folder, 'supervisord.pid')}
[program:service]
command = ${reporter.command('service').join(' ')}
`,
        );
        reporter.start(['supervisord', '-c', file]);
        expect(
          await reporter.report('service'),
          stays('supervisor', /^the parent is supervisord$/),
        );
      },
    );

    withReporter(
      'start-stop-daemon --background --notify-await',
      needsRootAnd(['start-stop-daemon', 'dpkg']),
      async (reporter) => {
        const [node, ...args] = reporter.command('notify');
        reporter.start([
          'start-stop-daemon',
          ...['--start', '--background', '--notify-await'],
          ...['--pidfile', '/nonexistent', '--exec', node!, '--', ...args],
        ]);
        expect(
          await reporter.report('notify'),
          stays('supervisor', /^NOTIFY_SOCKET is set, is not systemd's/),
        );
      },
    );
  });
});
