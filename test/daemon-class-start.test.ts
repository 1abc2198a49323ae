// A start or restart of a Daemon that fails: who is told, and what is left.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Control,
  here,
  program,
  type Started,
  withControl,
} from './helpers/daemon-class';

for (const how of ['throw', 'reject'])
  test(`a restart whose check fails leaves the old daemon alone: ${how}`, () =>
    withControl((control) =>
      control.launch('start', [], async (probe) => {
        const { pid } = await probe.next<Started>();
        control.configure({ check: how });
        const [status, { message }] = await control.give('restart');
        assert.deepEqual([status, message], [1, 'check failed']);
        const found = here(control.pidfile).status();
        assert.deepEqual([found.state, found.pid], ['running', pid]);
        const [, start] = await control.give('start');
        assert.equal(start.code, 'ERR_DAEMON_ALREADY_RUNNING', 'before it');
      }),
    ));

test('a restart with options that cannot be leaves the old daemon alone', () =>
  withControl((control, folder) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      for (const [options, code] of [
        [{ stdout: join(folder, 'no/log') }, 'ENOENT'],
        [{ cwd: '/nonexistent' }, 'ENOENT'],
        [{ user: 'nobody-of-that-name' }, 'ERR_INVALID_ARG_VALUE'],
        [{ umask: -1 }, 'ERR_OUT_OF_RANGE'],
        [{ sighup: 'ignore' }, 'ERR_INVALID_ARG_VALUE'],
        [{ ready: 'soon' as 'now' }, 'ERR_INVALID_ARG_VALUE'],
      ] as const) {
        const other = new Control(program, 'subclass', folder, options);
        const [status, outcome] = await other.give('restart');
        assert.deepEqual([status, outcome.code], [1, code]);
        assert.equal(here(control.pidfile).status().pid, pid);
      }
    }),
  ));

for (const [how, ready] of [
  ['throw', 'now'],
  ['throw', 'manual'],
  ['reject', 'now'],
  ['reject later', 'manual'],
] as const)
  test(`a run that fails before it is ready fails the start: ${how}, ready: '${ready}'`, () =>
    withControl(
      async (control) => {
        control.configure({ run: how });
        await control.launch('start', [], (_, { status, stderr }) => {
          assert.deepEqual(
            [status, stderr],
            [1, 'posix-daemonize: run failed\n'],
          );
        });
        assert.ok(!existsSync(control.pidfile));
      },
      { ready },
    ));

test('a run that rejects once it is ready rejects the start, in the daemon', () =>
  withControl(async (control) => {
    control.configure({ run: 'reject later' });
    await control.launch('start', [], async (probe, { status }) => {
      assert.equal(status, 0);
      await probe.next<Started>();
      assert.deepEqual(await probe.next(), { message: 'run failed' });
    });
  }));

test('a start needs a known ready, and takes a name longer than an ident', () =>
  withControl(async (control, folder) => {
    const wrong = new Control(program, 'object', folder, {
      ready: 'soon' as 'now',
    });
    const [status, { code }] = await wrong.give('start');
    assert.deepEqual([status, code], [1, 'ERR_INVALID_ARG_VALUE']);
    assert.ok(!existsSync(control.pidfile));
    const name = 'n'.repeat(60);
    const long = new Control(program, 'object', folder, { name, syslog: true });
    await long.launch('start', [], async (probe, launched) => {
      assert.deepEqual([launched.status, launched.stderr], [0, '']);
      assert.equal((await probe.next<Started>()).title, name);
    });
  }));

test('a check that fails keeps a daemon from starting', () =>
  withControl(async (control) => {
    for (const check of ['throw', 'reject', 'reject, thenable']) {
      control.configure({ check });
      const [status, { message }] = await control.give('start');
      assert.deepEqual([status, message], [1, 'check failed']);
      assert.ok(!existsSync(control.pidfile));
    }
  }));
