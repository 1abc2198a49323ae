import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli as run, type Ended } from './helpers/cli';
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

/**
 * The ends of a reload, which waits for the second, and of one that is asked for
 * while it is under way, with what has been changed meanwhile.
 */
async function reloadTwice(
  site: Site,
  log: () => string[],
  config: string,
): Promise<[first: Ended, second: Ended]> {
  const signals = (): number =>
    log().filter((line) => line === 'SIGHUP').length;
  const reload = () => run(['reload', '--pidfile', site.path('a.pid')]);
  site.write('config', 'wait');
  site.write('hold', '');
  const first = reload();
  await until('the first one', () => log().includes('begins: wait'));
  site.write('config', config);
  const second = reload();
  await until('the second signal', () => signals() === 2);
  let isOver = false;
  void second.then(() => (isOver = true));
  site.write('go', '');
  const ended = await first;
  // Time for one that is over to end.
  await run(['status', '--pidfile', site.path('a.pid')]);
  assert.equal(isOver, false, 'what the second one asked for goes on');
  rmSync(site.path('hold'));
  return [ended, await second];
}

/** What was read, without what is told of signals. */
const steps = (log: string[]): string[] =>
  log.filter((line) => /^(begins|ends): /.test(line));

test('a reload during another one returns when what changed in between was read', () =>
  withDaemon('Daemon', async (site, log) => {
    for (const { status, stderr } of await reloadTwice(site, log, 'two'))
      assert.deepEqual([status, stderr], [0, '']);
    const each = ['wait', 'two'].flatMap((config) => [
      `begins: ${config}`,
      `ends: ${config}`,
    ]);
    assert.deepEqual(steps(log()), each);
  }));

test('a reload during another one fails by its own end, the other one does not', () =>
  withDaemon('Daemon', async (site, log) => {
    const [first, second] = await reloadTwice(site, log, 'fail');
    assert.deepEqual([first.status, first.stderr], [0, '']);
    assert.equal(second.status, 1, second.stdout);
    assert.match(second.stderr, /goes on as before: no such setting\n/);
    assert.deepEqual(steps(log()), [
      'begins: wait',
      'ends: wait',
      'begins: fail',
    ]);
    site.write('config', 'good');
    assert.equal(site.run('reload', 'a').status, 0, 'the error is no more');
  }));

/** A command that is kept running, for the time of `use`. */
function withCommand(
  script: string,
  use: (
    site: Site,
    log: () => string[],
    child: () => number | null,
  ) => Promise<void>,
): Promise<void> {
  return withSite(async (site) => {
    site.describe({ a: { command: ['sh', '-c', script], respawn: true } });
    assert.equal(site.run('start').status, 0);
    await use(
      site,
      () => readFileSync(site.path('a.log'), 'utf8').split('\n').slice(0, -1),
      () => {
        const [report] = JSON.parse(site.run('status', '--json').stdout) as {
          childPid: number | null;
        }[];
        return report!.childPid;
      },
    );
  });
}

test('a supervised program that SIGHUP would end gets none', () =>
  withCommand('echo up; exec sleep 1000', async (site, log, child) => {
    await until('the command', () => log().includes('up'));
    const pid = child();
    const { status, stderr } = site.run('reload', 'a');
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(`process ${pid}, the command of '.*a\\.pid', does not listen`),
    );
    assert.equal(child(), pid);
    assert.deepEqual(log(), ['up']);
  }));

test('a supervised program that listens to SIGHUP gets it', () =>
  withCommand(
    "trap 'echo HUP' HUP; echo up; while :; do sleep 0.1; done",
    async (site, log) => {
      await until('the command', () => log().includes('up'));
      assert.equal(site.run('reload', 'a').status, 0);
      await until('the signal', () => log().includes('HUP'));
    },
  ));
