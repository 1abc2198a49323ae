import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { cli, type Result, type Site, withSite } from './helpers/site';
import { until } from './helpers/scenario';

const example = join(__dirname, '../examples/platform');
const programs = ['auto', 'torport-start', 'tform', 'elc'];

const read = (site: Site, name: string): string =>
  existsSync(site.path(name)) ? readFileSync(site.path(name), 'utf8') : '';

const pidOf = (site: Site, name: string): number =>
  Number(read(site, `${name}.pid`).split('\n')[0]);

/** The example, with its programs and files in the folder. */
function withPlatform(
  use: (site: Site, platform: (...args: string[]) => Result) => Promise<void>,
): Promise<void> {
  return withSite(async (site) => {
    const text = readFileSync(join(example, 'daemons.json'), 'utf8')
      .replaceAll('/opt/platform', `${site.folder}/opt`)
      .replaceAll('/var/log/', `${site.folder}/`)
      .replaceAll('/run/', `${site.folder}/`);
    site.write('daemons.json', text);
    copyFileSync(join(example, 'platform.sh'), site.path('platform.sh'));
    mkdirSync(site.path('opt'));
    for (const name of programs) {
      const script = `#!/bin/sh\necho ${name} >>${site.folder}/order\necho ${name}: up >&2\nexec sleep 1000\n`;
      chmodSync(site.write(`opt/${name}`, script), 0o644);
    }
    mkdirSync(site.path('bin'));
    symlinkSync(cli, site.path('bin/posix-daemonize'));
    const path = `PATH=${site.path('bin')}${delimiter}${process.env.PATH}`;
    await use(site, (...args) =>
      site.runWith('env', [path, site.path('platform.sh'), ...args]),
    );
  });
}

test('the platform script starts four programs a second apart, leaves alone what runs, and stops all', () =>
  withPlatform(async (site, platform) => {
    const start = platform();
    assert.equal(start.status, 0, start.stderr);
    await until('all', () => read(site, 'order').split('\n').length === 5);
    assert.equal(read(site, 'order'), `${programs.join('\n')}\n`);
    for (const name of programs) {
      const { mode } = statSync(site.path(`opt/${name}`));
      assert.equal(mode & 0o777, 0o755, name);
      assert.ok(read(site, 'platform_daemon.log').includes(`${name}: up\n`));
    }
    const pids = programs.map((name) => pidOf(site, name));

    site.run('stop', 'tform');
    const again = platform('start');
    assert.equal(again.status, 0);
    assert.equal(
      again.stdout,
      programs
        .map((name, i) =>
          name === 'tform'
            ? `tform: started with pid ${pidOf(site, 'tform')}\n`
            : `${name}: already running with pid ${pids[i]}\n`,
        )
        .join(''),
    );

    assert.equal(platform('restart').status, 0);
    const after = programs.map((name) => pidOf(site, name));
    for (const [i, pid] of after.entries()) assert.notEqual(pid, pids[i]);
    assert.equal(platform('stop').status, 0);
    assert.equal(site.run('status').status, 3);
  }));

test('the platform script refuses what it does not know as the old one did', () =>
  withPlatform((_, platform) => {
    const unknown = platform('reload');
    assert.deepEqual(
      [unknown.status, unknown.stdout],
      [1, 'unknown command\n'],
    );
    const usage = platform('start', 'now');
    assert.equal(usage.status, 2);
    assert.match(
      usage.stdout,
      /^usage: \S+platform\.sh \[start\|stop\|restart\]\n$/,
    );
    return Promise.resolve();
  }));
