// Whom the PID files of `run --user` belong to, and what becomes of them.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { cli, withPlace } from './helpers/cli';
import { first, needs, user } from './helpers/daemonize';
import { run as runToEnd, withPath } from './helpers/pidfile';
import { isGone } from './helpers/processes';
import { needsRoot, until } from './helpers/scenario';
import { statusOf, withSupervised } from './helpers/supervised';

const asUser = ['--user', 'nobody'];
const forEver = ['sleep', '1000'];
const running = [0, ''];

/** Of a file that a user could write this would be 4. */
const startStopDaemon = (pidfile: string) =>
  runToEnd('start-stop-daemon', '--status', '--pidfile', pidfile);

test(
  'start-stop-daemon trusts the file of run --user, which root has',
  needs('start-stop-daemon'),
  () =>
    withPlace(async (place) => {
      chmodSync(place.folder, 0o755);
      const { status, stderr } = await place.run(asUser, forEver);
      assert.deepEqual([status, stderr], [0, '']);
      assert.deepEqual(startStopDaemon(place.pidfile), running);
      assert.equal(statSync(place.pidfile).uid, 0);
    }),
);

test(
  'start-stop-daemon trusts both files of a supervisor with --user',
  needs('start-stop-daemon'),
  () =>
    withSupervised(async (supervised) => {
      chmodSync(supervised.folder, 0o755);
      const { status, stderr } = await supervised.start(asUser, forEver);
      assert.deepEqual([status, stderr], [0, '']);
      for (const pidfile of [supervised.pidfile, supervised.childPidfile])
        assert.deepEqual(startStopDaemon(pidfile), running, pidfile);
      // What it writes later goes into the file that it has open.
      const killed = supervised.childPid;
      process.kill(killed, 'SIGKILL');
      await until('another child', () => supervised.childPid !== killed);
      // It may not write its file of state there.
      const { stdout } = await cli([
        'status',
        '--json',
        '--pidfile',
        supervised.pidfile,
      ]);
      const [report] = JSON.parse(stdout) as { childPid: number }[];
      assert.equal(report!.childPid, supervised.childPid);
    }),
);

test(
  'start-stop-daemon trusts the file of daemonize({ user }), which tells of readiness and is emptied',
  needs('start-stop-daemon'),
  () =>
    withPath(async (pidfile) => {
      await first.play('plain', [{ ...user, pidfile }], {}, async (probe) => {
        const { pid } = await probe.next<{ pid: number }>();
        assert.deepEqual(startStopDaemon(pidfile), running);
        assert.equal(Pidfile.holder(pidfile), pid);
        assert.match(readFileSync(pidfile, 'utf8'), /^ready=1\b/m);
        assert.equal(statSync(pidfile).uid, 0);
      });
      assert.equal(readFileSync(pidfile, 'utf8'), '');
      assert.equal(Pidfile.holder(pidfile), null);
    }),
);

test(
  'a supervisor that may not remove its files leaves with 0, says so, and the next start has them',
  needsRoot,
  () =>
    withSupervised(async (supervised) => {
      chmodSync(supervised.folder, 0o755);
      const { pidfile, childPidfile } = supervised;
      const child = supervised.startHere(asUser, forEver);
      const command = await supervised.child();
      await until('its listeners', () => supervised.pid === child.pid);
      child.kill('SIGTERM');
      assert.equal(await statusOf(child), 0);
      assert.ok(isGone(command));
      const denied = (call: string, path: string) =>
        `EACCES: permission denied, ${call} '${path}'`;
      assert.deepEqual(
        supervised.told().filter((line) => line.includes('unlink')),
        [childPidfile, pidfile].map((path) => denied('unlink', path)),
      );
      assert.ok(!supervised.lines().some((line) => line.includes('    at ')));
      for (const path of [pidfile, childPidfile])
        assert.equal(readFileSync(path, 'utf8'), '', path);
      const again = await supervised.start(asUser, forEver);
      assert.deepEqual(again, { status: 0, stderr: '' });
    }),
);
