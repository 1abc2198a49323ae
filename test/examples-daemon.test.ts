import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusOf } from '../src/control';
import { firstLine } from './helpers/pidfile';
import { until, withFolder } from './helpers/scenario';

const examples = join(__dirname, '../examples');

/** Exit status, output and errors of an example. */
function run(
  name: string,
  ...args: string[]
): [status: number | null, stdout: string, stderr: string] {
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(examples, name), ...args],
    { encoding: 'utf8', timeout: 30_000 },
  );
  if (error) throw error;
  return [status, stdout, stderr];
}

test('the Daemon class of the article: start, stop, restart', () =>
  withFolder(async (folder) => {
    const clock = (command: string) => run('daemon-class.mjs', command, folder);
    const pidfile = join(folder, 'clock.pid');
    const log = (): string => readFileSync(join(folder, 'clock.log'), 'utf8');
    const notRunning = `not running: nobody holds '${pidfile}'\n`;
    assert.deepEqual(clock('stop'), [1, '', notRunning]);
    try {
      assert.deepEqual(clock('start'), [0, '', '']);
      const pid = firstLine(pidfile).trim();
      await until('the clock', () => /\n0: \d{4}-/.test(log()));
      assert.ok(log().startsWith(`Daemon started with pid ${pid}\n`));
      const running = `already running with pid ${pid}, which holds '${pidfile}'\n`;
      assert.deepEqual(clock('start'), [1, '', running]);
      assert.deepEqual(clock('restart'), [0, '', '']);
      const next = firstLine(pidfile).trim();
      assert.notEqual(next, pid);
      const [status, shown] = clock('status');
      assert.equal(status, 0);
      assert.match(shown, new RegExp(`state: 'running',\n  pid: ${next},`));
      assert.deepEqual(clock('stop'), [0, `stopped process ${next}\n`, '']);
      assert.ok(!existsSync(pidfile));
    } finally {
      if (statusOf(pidfile).state === 'running') clock('stop');
    }
    const usage = /^usage: daemon-class\.mjs start\|stop\|restart\|status/;
    for (const args of [[], ['begin'], ['start', folder, 'more']]) {
      const [status, , stderr] = run('daemon-class.mjs', ...args);
      assert.equal(status, 2);
      assert.match(stderr, usage);
    }
  }));
