import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { launch, start, withDaemon } from './helpers/launch';
import { kinds, needs, withLogDaemon } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { processesMarked } from './helpers/processes';
import { bootSystemd, needsSystemd } from './helpers/systemd';

const [node] = nodes;
const fixture = 'helpers.cjs';

test('the Node.js versions under test run', async () => {
  for (const { version, path } of nodes) {
    const { stdout } = await launch({ version, path }, 'version.cjs');
    assert.equal(stdout, version);
  }
});

test('a launch tells status and output of the launching process', async () => {
  const { status, signal, stdout, stderr } = await launch(node, fixture, [
    'status',
  ]);
  assert.deepEqual(
    { status, signal, stdout, stderr },
    { status: 7, signal: null, stdout: 'out\n', stderr: 'err\n' },
  );
});

test('a launch tells the signal that ended it', async () => {
  const { status, signal } = await launch(node, fixture, ['killed']);
  assert.deepEqual({ status, signal }, { status: null, signal: 'SIGKILL' });
});

test('a launch on a pty tells status and output too', async () => {
  for (const pty of [true, 'hangup'] as const) {
    const { status, stdout } = await launch(node, fixture, ['status'], { pty });
    assert.equal(status, 7);
    assert.match(stdout, /^out\n/);
    assert.match(stdout, /^err\n/m);
  }
});

test('a launch on a pty tells the signal that ended it', async () => {
  const { status, signal } = await launch(node, fixture, ['killed'], {
    pty: true,
  });
  assert.deepEqual({ status, signal }, { status: null, signal: 'SIGKILL' });
});

test('a daemon that keeps the output of its launcher is noticed', async () => {
  const { launched, probe } = start(node, fixture, ['keeps-output'], {
    timeout: 4_000,
  });
  await probe.next();
  await assert.rejects(launched, /status 0, output/);
  await probe.end();
});

test('a daemon that keeps the output of its launcher is told apart', async () => {
  await withDaemon(
    node,
    fixture,
    ['keeps-output'],
    { until: 'exit' },
    (_, { stdout }) => {
      assert.equal(stdout, 'out\n');
    },
  );
});

test('a daemon reports what it is and goes with its test', async () => {
  await withDaemon(node, fixture, [], {}, async (probe) => {
    const report = await probe.next();
    assert.equal(report.pid, report.nodePid);
    assert.equal(report.sid, report.pid);
    assert.equal(report.pgid, report.pid);
    assert.equal(report.tty, null);
    assert.equal(report.fds[0], '/dev/null');
    assert.equal(report.uid, process.getuid?.());
    assert.deepEqual(report.sigmask, []);
    assert.equal(report.threads[0]?.comm, 'node');
  });
});

test('a process on a pty has it as its controlling terminal', async () => {
  await withDaemon(node, 'report.cjs', [], { pty: true }, async (probe) => {
    const report = await probe.next();
    assert.match(String(report.tty), /^\/dev\/pts\/\d+$/);
    assert.equal(report.fds[0], report.tty);
    assert.equal(report.sid, report.pid);
  });
});

test('a daemon is found by a mark in its environment until it ends', async () => {
  const mark = { LEFTOVER: `of ${process.pid}` };
  const found = () =>
    processesMarked('LEFTOVER', mark.LEFTOVER).map(({ pid }) => pid);
  await withDaemon(node, fixture, [], { env: mark }, async (probe) => {
    const { pid } = await probe.next();
    assert.deepEqual(found(), [pid]);
  });
  assert.deepEqual(found(), []);
});

test(
  'a script on systemd that is not done in time leaves nothing but an error',
  needsSystemd,
  async () => {
    const mark = `${process.pid}.5`;
    await assert.rejects(
      bootSystemd({
        units: {
          'app.service': `[Service]\nExecStart=/bin/sleep ${mark}\n`,
        },
        script: `
          systemctl start app
          echo started
          sleep infinity`,
        limit: 4_000,
      }),
      /no end within 4000 ms\n--- stdout:\nstarted\n/,
    );
    assert.deepEqual(running(mark), []);
  },
);

test(
  'a script on systemd that fails tells what it and its units said',
  needsSystemd,
  async () => {
    const fails = bootSystemd({
      units: {
        'app.service':
          "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo it broke; exit 3'\n",
      },
      script: 'systemctl start app',
    });
    await assert.rejects(fails, ({ message }: Error) => {
      assert.match(message, /^the script on systemd failed: exit-code 1$/m);
      assert.match(message, /Job for app.service failed/);
      assert.match(message, /sh\[\d+\]: it broke/);
      assert.match(message, /status=3/);
      return true;
    });
  },
);

test(
  'a script on systemd that waits in vain gives up in time to tell',
  needsSystemd,
  async () => {
    const waits = bootSystemd({
      units: {},
      script: `
        SECONDS=3600 # since its start
        wait_for test -e /run/never`,
    });
    await assert.rejects(waits, ({ message }: Error) => {
      assert.match(message, /^the script on systemd failed: exit-code 1$/m);
      assert.match(message, /^waited for test -e \/run\/never$/m);
      return true;
    });
  },
);

/** The processes with this argument. */
function running(argument: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'latin1');
      return words.split('\0').includes(argument);
    } catch {
      return false; // no process, or gone meanwhile
    }
  });
}

for (const kind of kinds)
  test(
    `${kind} starts late, stands still, goes on and starts again on one /dev/log`,
    needs(kind),
    () =>
      withLogDaemon(
        kind,
        async (log) => {
          const [nsenter, ...args] = log.through;
          const say = (text: string): void => {
            const logger = ['logger', '--tag=test', '--id=7', '-pmail.warning'];
            execFileSync(nsenter!, [...args, ...logger, text]);
          };
          await log.start();
          say('first');
          await log.entriesTo('first');
          log.stop();
          say('second');
          log.cont();
          await log.entriesTo('second');
          const before = log.pid;
          await log.restart();
          assert.notEqual(log.pid, before);
          say('third');
          const entries = await log.entriesTo('third');
          assert.deepEqual(
            entries.filter(({ ident }) => ident === 'test'),
            ['first', 'second', 'third'].map((text) => ({
              priority: 'mail.warning',
              ident: 'test',
              pid: 7,
              text,
            })),
          );
        },
        { late: true },
      ),
  );
