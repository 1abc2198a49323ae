// A reload of a Daemon: who asked for it hears how it ended.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Control,
  here,
  program,
  type Started,
  withControl,
} from './helpers/daemon-class';
import { needsRoot, withFolder } from './helpers/scenario';

test('a reload that fails is told to who asked, and the daemon goes on', () =>
  withFolder((folder) => {
    const stderr = join(folder, 'log');
    const control = new Control(program, 'object', folder, { stderr });
    return control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      for (const how of ['throw', 'reject']) {
        control.configure({ reload: how });
        const [, { code, message, pid: named }] = await control.give('reload');
        assert.deepEqual(
          [code, message, named],
          [
            'ERR_DAEMON_RELOAD_FAILED',
            `process ${pid} of '${control.pidfile}' goes on as before: reload failed`,
            pid,
          ],
        );
      }
      control.configure({});
      assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
      const line = 'posix-daemonize: reload failed: reload failed\n';
      assert.equal(readFileSync(stderr, 'utf8'), line.repeat(2));
    });
  }));

test(
  'a reload needs none of the watches of files that a user may have',
  needsRoot,
  () =>
    withControl((control) =>
      control.launch('start', [], async (probe) => {
        const { pid } = await probe.next<Started>();
        const none =
          'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"';
        control.through = ['unshare', '-Ur', 'sh', '-c', none, 'sh'];
        assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
        control.configure({ reload: 'throw' });
        const [, { code }] = await control.give('reload');
        assert.equal(code, 'ERR_DAEMON_RELOAD_FAILED');
      }),
    ),
);

test('a reload waits no longer than it was told, and notices the end', () =>
  withControl((control) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      control.configure({ reload: 'hang' });
      const [, late] = await control.give('reload', { timeout: 200 });
      assert.deepEqual(
        [late.code, late.pid],
        ['ERR_DAEMON_RELOAD_TIMEOUT', pid],
      );
    }),
  ));

test('a daemon that ends while it reloads is not ready', () =>
  withControl((control) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      control.configure({ reload: 'exit' });
      const [, ended] = await control.give('reload');
      assert.deepEqual([ended.code, ended.pid], ['ERR_DAEMON_NOT_READY', pid]);
      await probe.gone();
      assert.equal(here(control.pidfile).status().state, 'stopped');
    }),
  ));
