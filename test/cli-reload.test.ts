import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli as run } from './helpers/cli';
import { until } from './helpers/scenario';
import { type Site, withSite } from './helpers/site';

const fixture = join(__dirname, 'fixtures/reloading.cjs');

/** A program that is its own daemon; the file tells its PID file. */
function withDaemon(
  form: 'Daemon' | 'daemonize',
  use: (site: Site, log: () => string[]) => Promise<void> | void,
): Promise<void> {
  return withSite(async (site) => {
    const program = [fixture, form, site.folder];
    site.describe({ a: { command: [process.execPath, ...program] } });
    const { status, stderr } = site.runWith(process.execPath, program);
    assert.deepEqual([status, stderr], [0, '']);
    await use(site, () =>
      readFileSync(site.path('a.log'), 'utf8').split('\n').slice(0, -1),
    );
  });
}

const pidOf = (site: Site): number =>
  parseInt(readFileSync(site.path('a.pid'), 'utf8'), 10);

for (const form of ['Daemon', 'daemonize'] as const)
  test(`reload waits until a program that uses ${form} is ready again`, () =>
    withDaemon(form, (site, log) => {
      const pid = pidOf(site);
      for (const config of ['one', 'two']) {
        site.write('config', config);
        const reloaded = site.run('reload', 'a');
        assert.deepEqual(reloaded, {
          status: 0,
          stdout: `a: reloaded, pid ${pid}\n`,
          stderr: '',
        });
        assert.equal(log().at(-1), `ends: ${config}`);
      }
      assert.equal(pidOf(site), pid);
    }));

test('reload tells why a program goes on as it was', () =>
  withDaemon('Daemon', (site) => {
    site.write('config', 'fail');
    const { status, stdout, stderr } = site.run('reload', 'a');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /^posix-daemonize: a: process \d+ of '.*a\.pid' goes on as before: no such setting\n/,
    );
    assert.equal(site.run('status', 'a').status, 0);
  }));

test('a reload that takes longer than it may is told, and ends', () =>
  withDaemon('Daemon', async (site, log) => {
    site.write('config', 'wait');
    const late = site.run('reload', 'a', '--timeout', '100ms');
    assert.equal(late.status, 1);
    assert.match(late.stderr, /a: .*a\.pid/);
    site.write('go', '');
    await until('its end', () => log().at(-1) === 'ends: wait');
  }));

test('two reloads at a time both return, and what changed in between is read', () =>
  withDaemon('Daemon', async (site, log) => {
    const signals = (): number =>
      log().filter((line) => line === 'SIGHUP').length;
    const reload = () => run(['reload', '--pidfile', site.path('a.pid')]);
    site.write('config', 'wait');
    const first = reload();
    await until('the first one', () => log().includes('begins: wait'));
    site.write('config', 'two');
    const second = reload();
    await until('the second signal', () => signals() === 2);
    site.write('go', '');
    for (const { status, stderr } of await Promise.all([first, second]))
      assert.deepEqual([status, stderr], [0, '']);
    await until('what was changed', () => log().includes('ends: two'));
    const done = log().filter((line) => line !== 'SIGHUP');
    const each = ['wait', 'two'].flatMap((config) => [
      `begins: ${config}`,
      `ends: ${config}`,
    ]);
    assert.deepEqual(done, each);
  }));
