import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { barrier } from './helpers/barrier';
import { cli, cliPath, withPlace } from './helpers/cli';
import { holdersOf } from './helpers/processes';
import { needs, needsRootAnd } from './helpers/surroundings';

// The library of this very package: any program that speaks sd_notify(3).
const library = join(__dirname, '../lib/index.js');
const notifies = (before: string, after: string): string[] => [
  process.execPath,
  '-e',
  `const { notify } = require(${JSON.stringify(library)}); ${before}; notify({ ready: true }); ${after}; setInterval(() => {}, 1e6)`,
];
const shell = (script: string): string[] => ['sh', '-c', script];

describe('--ready notify', () => {
  test('waits for READY=1, and shows until then what the command says', () =>
    withPlace(async (place) => {
      writeFileSync(place.log, 'from an earlier run\n');
      const ended = await place.run(
        ['--ready', 'notify'],
        notifies(
          "console.error('opening')",
          "setTimeout(() => console.error('serving'))",
        ),
      );
      assert.deepEqual([ended.status, ended.stdout], [0, '']);
      // What it says next may come before the launching process has left.
      assert.match(ended.stderr, /^opening\n(serving\n)?$/);
      await place.says('serving');
      assert.equal(Pidfile.holder(place.pidfile), place.pid);
    }));

  test(
    'takes the word of a child, and answers it: systemd-notify waits for that',
    needs(['systemd-notify']),
    () =>
      withPlace(async (place) => {
        // What it says before, it waits for as well.
        const script =
          'systemd-notify --status=up && systemd-notify --ready; echo "left with $?"; exec sleep 1000';
        const ended = await place.run(['--ready', 'notify'], shell(script));
        assert.equal(ended.status, 0, ended.stderr);
        assert.equal(await place.says('left with'), 'left with 0\n');
      }),
  );

  test(
    'answers a BARRIER=1 that comes when the launching process has left',
    needs(['python3']),
    () =>
      withPlace(async (place) => {
        const [go, command] = barrier(place.folder);
        const ended = await place.run(['--ready', 'notify'], command);
        assert.deepEqual([ended.status, ended.stderr], [0, '']);
        writeFileSync(go, '');
        assert.equal(await place.says('\n'), 'answered\n');
      }),
  );

  test('what stays to answer has neither lock, descriptor nor directory', () =>
    withPlace(async (place) => {
      const [cwd, passed] = ['cwd', 'passed'].map((name) =>
        join(place.folder, name),
      ) as [string, string];
      mkdirSync(cwd);
      const fd = openSync(passed, 'w');
      for (let round = 0; round < 2; round++) {
        // It sends no BARRIER=1, so that is waited for.
        const ended = await place.run(['--ready', 'notify'], notifies('', ''), {
          cwd,
          fds: [fd],
        });
        assert.deepEqual([ended.status, ended.stderr], [0, '']);
        assert.deepEqual(holdersOf(place.log), [place.pid]);
        for (const file of [cwd, passed, place.pidfile])
          assert.deepEqual(holdersOf(file), [], file);
        await place.end();
      }
      closeSync(fd);
    }));

  test(
    'reaches the socket after a chroot and without root',
    needsRootAnd(['python3']),
    () =>
      withPlace(async (place) => {
        const options = ['--chroot', '/', '--user', 'nobody', '--cwd', '/'];
        const ended = await place.run(
          ['--ready', 'notify', ...options],
          ['/usr/bin/python3', '-c', speaks],
        );
        assert.deepEqual([ended.status, ended.stderr], [0, '']);
      }),
  );

  const speaks = `
import os, socket, time
address = os.environ['NOTIFY_SOCKET']
assert address[0] == '@', address
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b'STATUS=up\\nREADY=1', '\\0' + address[1:])
time.sleep(1000)`;

  test(
    'does not believe another user',
    needsRootAnd(['setpriv'], ['python3']),
    () =>
      withPlace(async (place) => {
        const lie = speaks.replace('time.sleep(1000)', "print('said')");
        const script =
          'setpriv --reuid=65534 /usr/bin/python3 -c "$0"; exec sleep 1000';
        const ended = await place.run(
          ['--ready', 'notify', '--ready-timeout', '2s'],
          ['sh', '-c', script, lie],
        );
        assert.equal(ended.status, 1, 'it was believed');
        assert.match(ended.stderr, /^said\n.*was not ready within 2000 ms/);
      }),
  );
});

describe('--ready fd:N', () => {
  test('waits for a newline, and leaves the command no other descriptor', () =>
    withPlace(async (place) => {
      const script =
        'printf almost >&7; ls /proc/self/fd; echo >&7; exec 7>&-; exec sleep 1000';
      const ended = await place.run(['--ready', 'fd:7'], shell(script));
      assert.equal(ended.status, 0, ended.stderr);
      assert.equal(place.said, '0\n1\n2\n3\n7\n');
    }));

  test('a descriptor that is closed without one is not enough', () =>
    withPlace(async (place) => {
      const script = 'exec 7>&-; kill -TERM $$';
      const ended = await place.run(['--ready', 'fd:7'], shell(script));
      assert.equal(ended.status, 128 + 15);
    }));

  test('a newline and the end at once is a success', () =>
    withPlace(async (place) => {
      const ended = await place.run(
        ['--ready', 'fd:3'],
        shell('echo >&3; exit 9'),
      );
      assert.deepEqual([ended.status, ended.stderr], [0, '']);
    }));
});

describe('a command that ends before it is ready', () => {
  for (const [script, status, how] of [
    ['exit 7', 7, 'exited with status 7'],
    ['exit 0', 1, 'exited with status 0'],
    ['kill -KILL $$', 137, 'was killed by SIGKILL'],
  ] as const)
    test(`${script}: status ${status}, its words on the terminal, no PID file`, () =>
      withPlace(async (place) => {
        const ended = await place.run(
          ['--ready', 'fd:3'],
          shell(`echo cannot bind >&2; ${script}`),
        );
        assert.equal(ended.status, status);
        const [first, second, third] = ended.stderr.split('\n');
        assert.equal(first, 'cannot bind');
        assert.match(
          second!,
          new RegExp(
            `^posix-daemonize: the command \\(pid \\d+\\) ${how} before it was ready$`,
          ),
        );
        assert.equal(third, `  its log is '${place.log}'`);
        assert.ok(!place.hasPidfile);
        assert.equal(place.said, 'cannot bind\n');
      }));

  test('gives its last STATUS, and a hint where its output went nowhere', async () => {
    const { status, stderr } = await cli([
      ...['run', '--ready', 'notify', '--', process.execPath, '-e'],
      `require(${JSON.stringify(library)}).notify({ status: 'no database' }); process.exit(3)`,
    ]);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /before it was ready: no database\n {2}.*--stderr FILE/,
    );
  });
});

test('a command that is late is ended, by SIGKILL if it must be', () =>
  withPlace(async (place) => {
    const ready = ['--ready', 'fd:3', '--ready-timeout', '200ms'];
    const { status, stderr } = await place.run(
      ready,
      shell('echo $$ >&2; exec sleep 1000'),
    );
    assert.equal(status, 1);
    const [pid] = stderr.split('\n');
    assert.match(stderr, /was not ready within 200 ms and was ended/);
    assert.ok(!existsSync(`/proc/${pid}`));
    assert.ok(!place.hasPidfile);
  }));

test('EXTEND_TIMEOUT_USEC gives a command more time', () =>
  withPlace(async (place) => {
    const ended = await place.run(
      ['--ready', 'notify', '--ready-timeout', '2s'],
      notifies(
        'notify({ extendTimeout: 60000 }); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)',
        '',
      ),
    );
    assert.deepEqual([ended.status, ended.stderr], [0, '']);
  }));

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} to the launching process ends the command, and it dies of it`, () =>
    withPlace(async (place) => {
      const command = [
        '--ready',
        'fd:3',
        '--',
        ...shell('echo $$; exec sleep 1000'),
      ];
      const files = ['--pidfile', place.pidfile, '--stdout', place.log];
      const child = spawn(
        process.execPath,
        [cliPath, 'run', ...files, ...command],
        { stdio: 'ignore' },
      );
      const exit = once(child, 'exit');
      const pid = parseInt(await place.says(/^\d+\n/), 10);
      child.kill(signal);
      assert.deepEqual(await exit, [null, signal]);
      assert.ok(!existsSync(`/proc/${pid}`));
      assert.ok(!place.hasPidfile);
    }));

test('10 launches: the PID file is complete when the launching process leaves', () =>
  withPlace(async (place) => {
    for (let round = 0; round < 10; round++) {
      const { status } = await place.run([], ['sleep', '1000']);
      assert.equal(status, 0);
      const text = readFileSync(place.pidfile, 'utf8');
      assert.match(text, /^\d+\nstart=\d+ boot=\S+ lock=none\n/);
      assert.equal(Pidfile.holder(place.pidfile), place.pid);
      await place.end();
    }
  }));
