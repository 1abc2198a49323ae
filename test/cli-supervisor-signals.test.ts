// What signals of its supervisor do to a supervised command, and its death.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodes } from './helpers/nodes';
import { isGone } from './helpers/processes';
import { needsRoot, until } from './helpers/scenario';
import {
  childrenOf,
  soon,
  statusOf,
  withSupervised,
} from './helpers/supervised';

const fixture = (name: string): string =>
  join(__dirname, 'fixtures/supervised', name);

const stateOf = (pid: number): string | undefined =>
  /^State:\t(.)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

test('signals of the supervisor are passed on to the command', async () => {
  await withSupervised(async (supervised) => {
    await supervised.start([], [nodes[0].path, fixture('signals.cjs')]);
    await supervised.line(/^ready$/);
    for (const name of ['HUP', 'QUIT', 'USR1', 'USR2', 'ALRM', 'WINCH']) {
      process.kill(supervised.pid, `SIG${name}`);
      await supervised.line(new RegExp(`^${name}$`));
    }
    assert.equal(supervised.state.restarts, 0);
  });
});

test('SIGTERM ends the command, all of its group, and the supervisor with 0', async () => {
  await withSupervised(async (supervised) => {
    const child = supervised.startHere(
      [],
      ['sh', '-c', 'sleep 1000 & echo "pid $!"; wait'],
    );
    const sleeper = Number((await supervised.line(/^pid/)).slice(4));
    const pid = await supervised.child();
    child.kill('SIGTERM');
    assert.equal(await statusOf(child), 0);
    assert.ok(isGone(pid));
    await until('the end of the group', () => isGone(sleeper));
    for (const name of ['x.pid', 'c.pid', 'x.state'])
      assert.ok(!existsSync(join(supervised.folder, name)), name);
  });
});

test('the stop signal is the one asked for, and the status the one of the command', async () => {
  await withSupervised(async (supervised) => {
    const child = supervised.startHere(
      ['--stop-signal', 'USR2'],
      [
        'sh',
        '-c',
        'trap "exit 7" USR2; echo ready; while :; do sleep 0.1; done',
      ],
    );
    await supervised.line(/^ready$/);
    child.kill('SIGINT');
    assert.equal(await statusOf(child), 7);
  });
});

test('a stopped process is killed after the kill timeout', async () => {
  await withSupervised(async (supervised) => {
    const child = supervised.startHere(
      ['--kill-timeout', '100ms'],
      ['sh', '-c', 'echo ready; exec sleep 1000'],
    );
    await supervised.line(/^ready$/);
    const pid = await supervised.child();
    process.kill(pid, 'SIGSTOP');
    // Of two signals at once it would take SIGTERM first.
    await until('its stop', () => stateOf(pid) === 'T');
    child.kill('SIGTERM');
    assert.equal(await statusOf(child), 137);
    assert.deepEqual(supervised.told(), [
      `sh (pid ${pid}) does not end within 100 ms`,
    ]);
  });
});

test('SIGTERM between two runs ends the supervisor', async () => {
  await withSupervised(async (supervised) => {
    const child = supervised.startHere(
      ['--respawn-delay', '10min', '--respawn-max-delay', '10min'],
      ['sh', '-c', 'exit 3'],
    );
    await supervised.line(/restart 1 in 600000 ms/);
    child.kill('SIGTERM');
    assert.equal(await statusOf(child), 0);
  });
});

test('with --orphan stop the command ends when its supervisor is killed', async () => {
  await withSupervised(async (supervised) => {
    await supervised.start([], ['sleep', '1000']);
    const { childPid } = supervised;
    process.kill(supervised.pid, 'SIGKILL');
    await until('the end of the command', () => isGone(childPid));
  });
});

test('with --orphan keep it goes on, and a new start tells its pid', async () => {
  await withSupervised(async (supervised) => {
    const command = ['sh', '-c', 'echo up; exec sleep 1000'];
    const options = ['--orphan', 'keep'];
    await supervised.start(options, command);
    const { pid, childPid } = supervised;
    process.kill(pid, 'SIGKILL');
    await until('the end of the supervisor', () => isGone(pid));
    const refused = await supervised.start(options, command);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      new RegExp(`already running with pid ${childPid}\\b`),
    );
    assert.ok(!isGone(childPid));
    process.kill(childPid, 'SIGKILL');
    await until('the end of the command', () => isGone(childPid));
    assert.equal((await supervised.start(options, command)).status, 0);
    assert.notEqual(supervised.childPid, childPid);
  });
});

test('SIGHUP opens the logs anew, for what is started from then on', async () => {
  await withSupervised(async (supervised) => {
    await supervised.start(soon, ['sh', '-c', 'echo up; exec sleep 1000']);
    await supervised.line(/^up$/);
    const log = join(supervised.folder, 'log');
    renameSync(log, `${log}.1`);
    // It ends by that, for it does not listen.
    process.kill(supervised.pid, 'SIGHUP');
    await supervised.line(/^up$/);
    assert.deepEqual(supervised.lines('log.1'), ['up']);
    assert.match(supervised.told()[0]!, /was ended by SIGHUP/);
  });
});

test(
  'as process 1 of a container it reaps orphans as well',
  needsRoot,
  async () => {
    await withSupervised(async (supervised) => {
      const script = "(sh -c 'sleep 0.1; echo orphan' &); exec sleep 1000";
      const words = supervised.words(['--foreground'], ['sh', '-c', script]);
      const options = ['--pid', '--fork', '--kill-child', '--mount-proc'];
      const container = spawn(
        'unshare',
        [...options, nodes[0].path, ...words],
        { stdio: 'ignore' },
      );
      try {
        await supervised.line(/^orphan$/);
        const [supervisor] = childrenOf(container.pid!);
        // A zombie would be one of them.
        await until('one child', () => childrenOf(supervisor!).length === 1);
        container.kill('SIGKILL');
        await until('the end of the container', () => isGone(supervisor!));
      } finally {
        container.kill('SIGKILL');
        // The pids in there are those of other processes out here.
        for (const name of ['x.pid', 'c.pid'])
          rmSync(join(supervised.folder, name), { force: true });
      }
    });
  },
);
