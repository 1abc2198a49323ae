import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusOf } from '../src/control';
import { isGone } from './helpers/processes';
import { until } from './helpers/scenario';
import { type Site, withSite } from './helpers/site';

const respawn = { orphan: 'keep' };
const sleeper = { command: ['sleep', '1000'], respawn };

const pidOf = (site: Site, name: string): number =>
  statusOf(site.path(`${name}.pid`)).pid!;

/** Of the files that a supervisor makes. */
const leftOf = (site: Site, child = 'a.child'): string[] =>
  ['a.pid', 'a.state', 'a.state.new', `${child}.pid`].filter((name) =>
    existsSync(site.path(name)),
  );

async function killSupervisor(site: Site, name: string): Promise<void> {
  const pid = pidOf(site, name);
  process.kill(pid, 'SIGKILL');
  await until('the end of the supervisor', () => isGone(pid));
}

for (const [title, more, file] of [
  ['at its usual place', {}, 'a.child'],
  ['at a place of its own', { childPidfile: 'own/c.pid' }, 'own/c'],
] as const)
  test(`a command that lost its supervisor is told of, stopped and started anew by name: its PID file ${title}`, () =>
    withSite(async (site) => {
      site.runWith('mkdir', [join(site.folder, 'own')]);
      const a = { ...sleeper, respawn: { ...respawn, ...more } };
      site.describe({ a });
      assert.equal(site.run('start', 'a').status, 0);
      const child = pidOf(site, file);
      await killSupervisor(site, 'a');

      const { status, stdout } = site.run('status', 'a', '--json');
      const [{ state, childPid, reason }] = JSON.parse(stdout) as [
        Record<string, unknown>,
      ];
      assert.deepEqual([status, state, childPid], [1, 'stale', child]);
      const without = `process ${child} goes on without its supervisor, which was killed`;
      assert.equal(reason, without);
      const list = site.run('list');
      assert.equal(list.stderr, `posix-daemonize: a: ${without}\n`);
      const start = site.run('start', 'a');
      assert.equal(start.status, 1);
      assert.match(
        start.stderr,
        new RegExp(`already running with pid ${child}\\b`),
      );
      assert.ok(!isGone(child));

      const lost = `a: stopped, was pid ${child}, which had lost its supervisor\n`;
      const stop = site.run('stop', 'a');
      assert.deepEqual([stop.status, stop.stdout], [0, lost]);
      assert.ok(isGone(child));
      assert.equal(site.run('status', 'a').status, 3);
      assert.deepEqual(leftOf(site, file), []);
      assert.equal(site.run('start', 'a').status, 0);

      await killSupervisor(site, 'a');
      const kept = pidOf(site, file);
      const restart = site.run('restart', 'a');
      assert.equal(restart.status, 0, restart.stderr);
      assert.ok(isGone(kept));
      assert.equal(site.run('status', 'a').status, 0);
      assert.equal(site.run('stop', 'a').status, 0); // not by SIGKILL
    }));

test('what a supervisor and its command have left is removed by stop: status 7, and then 3', () =>
  withSite(async (site) => {
    site.describe({ a: sleeper });
    assert.equal(site.run('start', 'a').status, 0);
    const child = pidOf(site, 'a.child');
    await killSupervisor(site, 'a');
    process.kill(child, 'SIGKILL');
    await until('the end of the command', () => isGone(child));
    assert.equal(site.run('status', 'a').status, 1);
    assert.deepEqual(leftOf(site), ['a.pid', 'a.state', 'a.child.pid']);
    assert.equal(site.run('stop', 'a').status, 7);
    assert.equal(site.run('status', 'a').status, 3);
    assert.deepEqual(leftOf(site), []);
  }));

test('files that only have these names stay', () =>
  withSite(async (site) => {
    const own = ['a.state', 'a.child.pid'];
    site.describe({ a: { command: ['sleep', '1000'] } });
    for (const name of own) site.write(name, 'no file of ours\n');
    assert.equal(site.run('start', 'a').status, 0);
    const pid = pidOf(site, 'a');
    process.kill(pid, 'SIGKILL');
    await until('the end of the daemon', () => isGone(pid));
    assert.equal(site.run('stop', 'a').status, 7);
    assert.deepEqual(leftOf(site), own);
  }));

test('why a supervisor has given up is still told after a stop', () =>
  withSite(async (site) => {
    const final = { finalCodes: [3] };
    site.describe({ a: { command: ['sh', '-c', 'exit 3'], respawn: final } });
    site.run('start', 'a');
    const ended = (): string | null | undefined => {
      const { stdout } = site.run('status', 'a', '--json');
      return (JSON.parse(stdout) as { reason: string | null }[])[0]?.reason;
    };
    await until(
      'its end',
      () => ended()?.includes('ended with status 3') ?? false,
    );
    assert.equal(site.run('stop', 'a').status, 7);
    assert.match(ended()!, /ended with status 3/);
  }));
