// When a supervised command ends: it is started anew, as long as the policy says.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withLogDaemon, needs, texts } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { until } from './helpers/scenario';
import {
  childrenOf,
  posixDaemonize,
  soon,
  statusOf,
  withSupervised,
} from './helpers/supervised';

const fixture = (name: string): string =>
  join(__dirname, 'fixtures/supervised', name);

/** Numbered lines, and no end of its own. */
const counting =
  'for i in 1 2 3 4 5 6 7 8 9 10; do echo "$$ $i"; done; exec sleep 1000';

test('a command that is killed 100 times is back each time, without a zombie or a lost line', async () => {
  await withSupervised(async (supervised) => {
    const { status, stderr } = await supervised.start(soon, [
      'sh',
      '-c',
      counting,
    ]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const pids: number[] = [];
    for (let kill = 0; kill <= 100; kill++) {
      const last = pids.at(-1);
      await until(
        'another child',
        () => ![0, last].includes(supervised.childPid),
      );
      const pid = supervised.childPid;
      pids.push(pid);
      await until('its lines', () => supervised.lines().includes(`${pid} 10`));
      if (kill < 100) process.kill(pid, 'SIGKILL');
    }
    const expected = pids.flatMap((pid) =>
      Array.from({ length: 10 }, (_, i) => `${pid} ${i + 1}`),
    );
    const written = supervised.lines().filter((line) => /^\d/.test(line));
    assert.deepEqual(written, expected);
    assert.equal(new Set(pids).size, 101);
    assert.deepEqual(childrenOf(supervised.pid), [pids.at(-1)]);
    await until('the count', () => supervised.state.restarts === 100);
    const { lastExit, childPid } = supervised.state;
    assert.equal(lastExit!.signal, 'SIGKILL');
    assert.equal(childPid, pids.at(-1));
  });
});

test(
  'no line for the system log is lost over 20 restarts, and their order is kept',
  needs('rsyslogd'),
  async () => {
    await withSupervised((supervised) =>
      withLogDaemon('rsyslogd', async (log) => {
        const { folder } = supervised;
        const script = `n=$(cat ${folder}/n || echo 0); n=$((n+1)); echo $n >${folder}/n
        for i in 1 2 3 4 5 6 7 8 9 10; do echo "$n $i"; done; exit 3`;
        const limit = ['--respawn-limit', '19/600', '--syslog', 'supervised'];
        const { status, stderr } = await supervised.start(
          [...soon, ...limit],
          ['sh', '-c', script],
          log.through,
        );
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
        await until('the last word', () =>
          texts(log.entries(), 'daemon.err').some((text) =>
            text.includes('given up'),
          ),
        );
        await log.entriesTo('20 10');
        const expected = Array.from(
          { length: 200 },
          (_, i) => `${Math.floor(i / 10) + 1} ${(i % 10) + 1}`,
        );
        assert.deepEqual(texts(log.entries(), 'daemon.info'), expected);
      }),
    );
  },
);

test('restarts are twice as far apart each time up to the longest, and end at the limit', async () => {
  await withSupervised(async (supervised) => {
    const child = supervised.startHere(
      [
        '--respawn-delay',
        '20ms',
        '--respawn-max-delay',
        '70ms',
        '--respawn-limit',
        '4/60',
      ],
      ['sh', '-c', 'exit 3'],
    );
    assert.equal(await statusOf(child), 69);
    const ends = supervised
      .told()
      .map((line) =>
        line.replace(
          /^sh \(pid \d+\) ended with status 3 after \d+\.\d s, /,
          '',
        ),
      );
    assert.deepEqual(ends, [
      'restart 1 in 20 ms',
      'restart 2 in 40 ms',
      'restart 3 in 70 ms',
      'restart 4 in 70 ms',
      'given up: 4 restarts in 60 s are the limit',
    ]);
    const { ended, restarts, lastExit } = supervised.state;
    assert.deepEqual({ ended, restarts }, { ended: 'limit', restarts: 4 });
    assert.equal(lastExit!.exitCode, 3);
    assert.ok(!existsSync(supervised.pidfile));
    assert.ok(!existsSync(supervised.childPidfile));
  });
});

for (const [title, options, script, status] of [
  [
    "with 'on-failure' the status 0 is its end",
    ['--respawn=on-failure'],
    'exit 0',
    0,
  ],
  [
    "with 'on-failure' the end by SIGTERM is its end",
    ['--respawn=on-failure'],
    'kill $$',
    143,
  ],
  [
    'a status of --no-respawn-codes is its end',
    ['--no-respawn-codes', '0,64'],
    'exit 64',
    64,
  ],
] as const) {
  test(`${title}, and the status of the supervisor`, async () => {
    await withSupervised(async (supervised) => {
      const child = supervised.startHere(options, ['sh', '-c', script]);
      assert.equal(await statusOf(child), status);
      assert.equal(supervised.told().length, 1);
      assert.match(supervised.told()[0]!, /, which is its end$/);
      assert.equal(supervised.state.ended, 'final');
    });
  });
}

for (const [language, command, exitCode] of [
  ['Python', ['python3', fixture('crash.py')], 3],
  ['shell', ['sh', fixture('crash.sh')], 3],
  ['Node.js', [nodes[0].path, fixture('crash.cjs')], 1],
] as const) {
  test(`the crash loop of a ${language} program is survived up to the limit`, async () => {
    await withSupervised(async (supervised) => {
      const { status } = await supervised.start(
        [...soon, '--respawn-limit', '3/600'],
        command,
      );
      assert.equal(status, 0);
      await supervised.line(/given up/);
      await until('the end', () => !existsSync(supervised.pidfile));
      const { length } = supervised
        .lines()
        .filter((line) => line === 'started');
      assert.equal(length, 4);
      assert.equal(supervised.state.lastExit!.exitCode, exitCode);
    });
  });
}

test('a file that vanishes is a failure like others: the policy applies', async () => {
  await withSupervised(async (supervised) => {
    const script = join(supervised.folder, 'script');
    writeFileSync(script, '#!/bin/sh\nrm "$0"\nexit 3\n', { mode: 0o755 });
    const child = supervised.startHere(
      [...soon, '--no-respawn-codes', '127', '--respawn-limit', '5/600'],
      [script],
    );
    assert.equal(await statusOf(child), 127);
    assert.equal(
      supervised.told().at(-1),
      `ENOENT: no such file or directory, execvp '${script}', which is its end`,
    );
  });
});

test('a command that cannot be executed the first time is an error of the start', async () => {
  await withSupervised(async (supervised) => {
    const script = join(supervised.folder, 'script');
    writeFileSync(script, '#!/nonexistent\n', { mode: 0o755 });
    const { status, stderr } = await supervised.start([], [script]);
    assert.notEqual(status, 0);
    assert.match(stderr, /ENOENT: no such file or directory, execvp/);
    assert.deepEqual(supervised.lines(), []);
  });
});

test('the start waits for the readiness of the command; later ones tell nobody', async () => {
  await withSupervised(async (supervised) => {
    const script = 'echo >&5 && echo told; exec sleep 1000';
    const { status } = await supervised.start(
      [...soon, '--ready', 'fd:5'],
      ['sh', '-c', script],
    );
    assert.equal(status, 0);
    await supervised.line(/^told$/);
    process.kill(supervised.childPid, 'SIGKILL');
    await until(
      'the second run',
      () => supervised.lines().filter((line) => line === 'told').length === 2,
    );
    await until('its count', () => supervised.state.restarts === 1);
  });
});

for (const [words, message] of [
  [['--respawn-delay', '1s', '--', 'true'], '--respawn-delay needs --respawn'],
  [['--orphan', 'keep', '--', 'true'], '--orphan needs --respawn'],
  [
    ['--respawn', '--orphan', 'keep', '--', 'true'],
    '--orphan keep needs --child-pidfile',
  ],
  [['--respawn', '--respawn-limit', '5', '--', 'true'], 'It must be N/SECONDS'],
  [
    ['--respawn', '--no-respawn-codes', '256', '--', 'true'],
    'It must be exit statuses',
  ],
  [
    ['--respawn', '--stop-signal', 'STOPP', '--', 'true'],
    'It must be a signal by name or number',
  ],
] as const) {
  test(`'${words.slice(0, -2).join(' ')}' is wrong usage`, async () => {
    const { status, stderr } = await posixDaemonize(['run', ...words]);
    assert.equal(status, 2);
    assert.ok(stderr.includes(message), stderr);
  });
}
