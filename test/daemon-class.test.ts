// A Daemon from its start to its stop, and what its name and options say.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Daemon } from 'posix-daemonize';
import {
  Control,
  here,
  type Outcome,
  program,
  type Started,
  withControl,
} from './helpers/daemon-class';
import { firstLine } from './helpers/pidfile';
import { forEachProgram } from './helpers/programs';
import { asNobody, needsRoot, withFolder } from './helpers/scenario';

forEachProgram('daemon-class', (each) => {
  for (const form of ['object', 'subclass'] as const)
    test(`started, reloaded, restarted and stopped: ${form}`, () =>
      withFolder(async (folder) => {
        const control = new Control(each, form, folder);
        const { pidfile } = control;
        assert.deepEqual(await control.give('status'), [
          0,
          { result: { state: 'stopped' } },
        ]);
        await control.launch('start', ['a', 'b'], async (probe, launched) => {
          assert.deepEqual(
            [launched.status, launched.stdout, launched.stderr],
            [0, '', ''],
          );
          const { pid, title, words } = await probe.next<Started>();
          assert.equal(firstLine(pidfile), `${pid}\n`);
          assert.deepEqual([title, words], ['clockd', ['a', 'b']]);
          assert.deepEqual(await probe.next(), { result: 2 });
          const { state, ready, pid: running } = here(pidfile).status();
          assert.deepEqual([state, ready, running], ['running', true, pid]);

          const [status, refused] = await control.give('start');
          assert.deepEqual(
            [status, refused.code, refused.pid],
            [1, 'ERR_DAEMON_ALREADY_RUNNING', pid],
          );
          assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
          assert.deepEqual(await probe.next(), { reloaded: true });

          await control.launch('restart', [], async (second, restarted) => {
            assert.equal(restarted.status, 0);
            assert.deepEqual(await probe.gone(), [{ exit: 0 }]);
            const { pid: next } = await second.next<Started>();
            assert.notEqual(next, pid);
            assert.equal(firstLine(pidfile), `${next}\n`);
            assert.deepEqual(await control.give('stop'), [0, { result: next }]);
            await second.gone();
          });
        });
        assert.ok(!existsSync(pidfile));
        const [status, { code }] = await control.give('stop');
        assert.deepEqual([status, code], [1, 'ERR_DAEMON_NOT_RUNNING']);
      }));
});

test(
  'the name gives title, place and ident; wrong options are told',
  needsRoot,
  () => {
    const make = (options: object) =>
      new Daemon({ name: 'clockd', ...options });
    assert.equal(make({}).pidfile, '/run/clockd.pid');
    assert.equal(make({ pidfile: '/x/y.pid' }).pidfile, '/x/y.pid');
    assert.equal(make({ pidfile: { path: '/x/z.pid' } }).pidfile, '/x/z.pid');
    for (const [options, code, message] of [
      [{ name: 1 }, 'ERR_INVALID_ARG_TYPE', /options\.name/],
      [{ name: '../x' }, 'ERR_INVALID_ARG_VALUE', /name of a file/],
      [{ name: '' }, 'ERR_INVALID_ARG_VALUE', /name of a file/],
      [{ nmae: 'x' }, 'ERR_INVALID_ARG_VALUE', /did you mean 'name'/],
      [{ run: 1 }, 'ERR_INVALID_ARG_TYPE', /options\.run/],
      [{ pidfile: null }, 'ERR_INVALID_ARG_TYPE', /options\.pidfile/],
      [{ pidfile: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.pidfile/],
    ] as const)
      assert.throws(() => make(options), { code, message });
  },
);

test(
  'root that stops a daemon removes the file that this may not',
  needsRoot,
  () =>
    withControl(
      (control, folder) => {
        chmodSync(folder, 0o755);
        return control.launch('start', [], async (probe) => {
          const { pid } = await probe.next<Started>();
          assert.deepEqual(await control.give('stop'), [0, { result: pid }]);
          await probe.gone();
          assert.ok(!existsSync(control.pidfile));
          assert.equal(here(control.pidfile).status().state, 'stopped');
        });
      },
      { user: 'nobody' },
    ),
);

test('without run there is no start', async () => {
  const daemon = new Daemon({ name: 'x', pidfile: '/nonexistent/x.pid' });
  for (const start of [daemon.start(), daemon.restart()])
    await assert.rejects(start, {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /options\.run/,
    });
});

test(
  'the PID file of who is not root is where XDG_RUNTIME_DIR says',
  needsRoot,
  () =>
    withFolder(async (folder) => {
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, 'x.pid'), 'left');
      const ask = (XDG_RUNTIME_DIR?: string) =>
        program.play<unknown>(
          'command',
          ['object', { name: 'x' }, '/dev/null', 'status'],
          { through: asNobody, env: { XDG_RUNTIME_DIR } },
          (_, { stdout }) => JSON.parse(stdout),
        );
      assert.deepEqual(await ask(folder), { result: { state: 'stale' } });
      const { code, message } = (await ask()) as Outcome;
      assert.equal(code, 'ERR_INVALID_ARG_VALUE');
      assert.match(String(message), /XDG_RUNTIME_DIR is not set/);
    }),
);
