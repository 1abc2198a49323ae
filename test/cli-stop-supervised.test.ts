import assert from 'node:assert/strict';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { statusOf } from '../src/control';
import { deaf, pidFrom, withNamed } from './helpers/named';
import { isGone } from './helpers/processes';
import { needsRoot } from './helpers/scenario';
import { type Site, withSite } from './helpers/site';

const sleeper = ['sleep', '1000'];

/** Ends of the command, of its child, and of the supervisor. */
const gone = (...pids: number[]): boolean[] => pids.map(isGone);

test('stop --kill-timeout of a supervised command kills it and its group, and a new start follows', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const file = site.path('child');
    assert.equal(named.run('--respawn', '--', ...deaf(file)).status, 0);
    const child = await pidFrom(file);
    const { pid, childPid } = named;
    const stop = site.run('stop', name, '--kill-timeout', '300ms');
    assert.deepEqual(stop, {
      status: 0,
      stdout: `${name}: stopped, was pid ${pid}\n`,
      stderr: '',
    });
    assert.deepEqual(gone(pid, childPid, child), [true, true, true]);
    const { state, reason } = named.report(name)!;
    assert.deepEqual([state, reason], ['stopped', null]);
    const again = named.run('--respawn', '--', ...sleeper);
    assert.deepEqual([again.status, again.stderr], [0, '']);
  }));

test('restart --kill-timeout puts a new supervisor in the place of one whose command is deaf', () =>
  withSite(async (site) => {
    const file = site.path('child');
    site.describe({ a: { command: deaf(file), respawn: true } });
    assert.equal(site.run('start').status, 0);
    await pidFrom(file);
    const old = pidsOf(site);
    const restart = site.run('restart', '--kill-timeout', '300ms');
    assert.equal(restart.status, 0, restart.stderr);
    assert.deepEqual(gone(...old), [true, true]);
    assert.deepEqual(gone(...pidsOf(site)), [false, false]);
    site.run('stop', '--kill-timeout', '1ms');
  }));

const pidsOf = (site: Site): number[] =>
  ['a.pid', 'a.child.pid'].map((file) => statusOf(site.path(file)).pid!);

test('stop --kill-timeout finds the command of a supervisor that has no name, and no file for it', () =>
  withSite(async (site) => {
    const [pidfile, file] = [site.path('x.pid'), site.path('child')];
    const run = site.run(
      ...['run', '--pidfile', pidfile, '--respawn'],
      ...['--', ...deaf(file)],
    );
    assert.equal(run.status, 0, run.stderr);
    const child = await pidFrom(file);
    const { pid } = statusOf(pidfile);
    const how = ['--pidfile', pidfile, '--kill-timeout', '300ms'];
    assert.equal(site.run('stop', ...how).status, 0);
    assert.deepEqual(gone(pid!, child), [true, true]);
  }));

test(
  'a supervisor of another user is ended with its command, and leaves no file',
  needsRoot,
  () =>
    withNamed(async (named) => {
      const { name, site } = named;
      chmodSync(site.folder, 0o777);
      const file = site.path('child');
      const options = ['--respawn', '--user', 'nobody'];
      assert.equal(named.run(...options, '--', ...deaf(file)).status, 0);
      await pidFrom(file);
      const { pid, childPid } = named;
      const stop = site.run('stop', name, '--kill-timeout', '300ms');
      assert.equal(stop.status, 0, stop.stderr);
      assert.deepEqual(gone(pid, childPid), [true, true]);
      const { pidfile, childPidfile } = named.places;
      assert.deepEqual([pidfile, childPidfile].map(existsSync), [false, false]);
    }),
);

test('a supervisor that is stopped by a signal is killed with its command', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const file = site.path('child');
    assert.equal(named.run('--respawn', '--', ...deaf(file)).status, 0);
    await pidFrom(file);
    const { pid, childPid } = named;
    process.kill(pid, 'SIGSTOP');
    const stop = site.run('stop', name, '--kill-timeout', '100ms');
    assert.equal(stop.status, 0, stop.stderr);
    assert.deepEqual(gone(pid, childPid), [true, true]);
    assert.equal(named.report(name)!.state, 'stopped');
  }));

test('stop --signal KILL leaves no command behind, also where it was to be kept', () =>
  withNamed((named) => {
    const { name, site } = named;
    const keep = ['--respawn', '--orphan', 'keep'];
    assert.equal(named.run(...keep, '--', ...sleeper).status, 0);
    const { pid, childPid } = named;
    assert.equal(site.run('stop', name, '--signal', 'KILL').status, 0);
    assert.deepEqual(gone(pid, childPid), [true, true]);
  }));

test('restart by name waits as long as the supervisor was told to wait before it kills', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const file = site.path('child');
    // Longer than a stop waits for others.
    const options = ['--respawn', '--kill-timeout', '10200ms'];
    assert.equal(named.run(...options, '--', ...deaf(file)).status, 0);
    await pidFrom(file);
    const { pid, childPid } = named;
    const restart = site.run('restart', name);
    assert.equal(restart.status, 0, restart.stderr);
    assert.deepEqual(gone(pid, childPid), [true, true]);
    assert.equal(named.report(name)!.state, 'running');
    site.run('stop', name, '--kill-timeout', '1ms');
  }));

test('a command without its supervisor is found where the PID file is gone as well', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const keep = ['--respawn', '--orphan', 'keep'];
    assert.equal(named.run(...keep, '--', ...sleeper).status, 0);
    const { childPid } = named;
    await named.killSupervisor();
    rmSync(named.places.pidfile);
    assert.equal(site.run('status', name).status, 1);
    const { state, reason, childPid: told } = named.report(name)!;
    assert.deepEqual([state, told], ['stale', childPid]);
    assert.match(String(reason), /goes on without its supervisor/);
    const stop = site.run('stop', name);
    assert.equal(
      stop.stdout,
      `${name}: stopped, was pid ${childPid}, which had lost its supervisor\n`,
    );
    assert.ok(isGone(childPid));
  }));

test('the PID file of the command is known where its words follow without --', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const file = site.path('c.pid');
    const keep = ['--respawn=always', '--orphan', 'keep'];
    const started = named.run(...keep, '--child-pidfile', 'c.pid', ...sleeper);
    assert.equal(started.status, 0, started.stderr);
    const { pid: childPid } = statusOf(file);
    await named.killSupervisor();
    assert.equal(site.run('status', name).status, 1);
    assert.equal(site.run('stop', name).status, 0);
    assert.ok(isGone(childPid!));
  }));

test('the daemon that has a PID file like that of a command is not taken for one', () =>
  withSite((site) => {
    const child = ['--pidfile', site.path('x.child.pid')];
    assert.equal(site.run('run', ...child, '--', ...sleeper).status, 0);
    const x = ['--pidfile', site.path('x.pid')];
    assert.equal(site.run('stop', ...x).status, 7);
    assert.equal(site.run('status', ...x).status, 3);
    assert.equal(site.run('status', ...child).status, 0);
    assert.equal(site.run('stop', ...child).status, 0);
  }));
