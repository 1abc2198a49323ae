import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Report } from './helpers/launch';
import { firstLine } from './helpers/pidfile';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, until, withFolder } from './helpers/scenario';

// The fifteen steps of systemd's daemon(7), "SysV daemons", and the signals
// that end a daemon, as the kernel tells of them.

const oddParent = ['python3', join(__dirname, 'helpers/odd-parent.py')];
const nobody = 65534;

interface Daemon extends Report {
  env: Record<string, string>;
}

async function checkSteps(
  program: Program,
  options: object,
  through: string[],
  uid: number,
): Promise<void> {
  await withFolder(async (folder) => {
    chmodSync(folder, 0o777);
    const pidfile = join(folder, 'daemon.pid');
    const env = ['PATH', 'REPORT_FD', 'DEADMAN_FD'];
    await program.play(
      'daemon',
      [{ pidfile, env, umask: 0o27, ...options }],
      { pty: true, through: [...oddParent, ...through] },
      async (probe, { status, stdout }) => {
        const before = await probe.next();
        const daemon = await probe.next<Daemon>();
        assert.deepEqual([status, stdout], [0, ''], 'step 15');
        assert.equal(before.fds[9], '/etc/hostname');
        assert.ok(before.ignored.includes('39'));
        assert.equal(before.tty, before.fds[0]);

        assert.ok(
          !Object.values(daemon.fds).includes('/etc/hostname'),
          '1: close all descriptors',
        );
        assert.deepEqual(
          daemon.ignored,
          ['SIGPIPE', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGXFSZ'],
          '2: reset all signal handlers',
        );
        assert.deepEqual(daemon.sigmask, [], '3: reset the signal mask');
        assert.deepEqual(
          Object.keys(daemon.env).sort(),
          [...env].sort(),
          '4: sanitize the environment',
        );
        assert.notEqual(daemon.pid, before.pid, '5: fork');
        assert.notEqual(daemon.sid, before.sid, '6: setsid');
        assert.equal(daemon.tty, null, '6: setsid');
        assert.notEqual(daemon.sid, daemon.pid, '7: fork again');
        assert.equal(daemon.pgid, daemon.sid, '7: fork again');
        await until('8: the first child to leave', () => {
          return !existsSync(`/proc/${daemon.sid}`);
        });
        for (const fd of [0, 1, 2])
          assert.equal(daemon.fds[fd], '/dev/null', '9: connect /dev/null');
        assert.equal(daemon.umask, 0o27, '10: the umask');
        assert.equal(daemon.cwd, '/', '11: the working directory');
        assert.equal(
          firstLine(pidfile),
          `${daemon.pid}\n`,
          '12: the PID file, before the launcher has left',
        );
        assert.deepEqual(daemon.uids, [uid, uid, uid, uid], '13: privileges');
        for (const { uids, gids } of daemon.threads)
          assert.ok([...uids, ...gids].every((id) => id === uid));
        assert.equal(daemon.nodePid, daemon.pid);
        assert.deepEqual(daemon.argv, before.argv);
      },
    );
    // Root's folder, and a daemon that is not root any more.
    const left = readdirSync(folder);
    assert.deepEqual(left, [], 'the PID file is removed at the end');
  });
}

forEachProgram('steps', (program) => {
  test(
    'daemon(7): all fifteen steps, as root that becomes nobody',
    needsRoot,
    () => checkSteps(program, { user: 'nobody', group: nobody }, [], nobody),
  );

  test(
    'daemon(7): all fifteen steps, as nobody from the start',
    needsRoot,
    () =>
      checkSteps(
        program,
        {},
        ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'],
        nobody,
      ),
  );

  test('descriptors are closed as they are listed, not up to the limit', () =>
    withFolder((folder) => {
      const trace = join(folder, 'trace');
      const through = [
        ...['bash', '-c', 'ulimit -S -n hard; exec "$0" "$@"'],
        ...['strace', '-D', '-f', '-qq', '-o', trace],
        ...['-e', 'trace=close,close_range'],
      ];
      return program.play(
        'daemon',
        [{}],
        { through: [...oddParent, ...through], until: 'exit' },
        async (probe) => {
          const { fds: before } = await probe.next();
          assert.equal(before[9], '/etc/hostname');
          const { fds } = await probe.next<Daemon>();
          assert.ok(!Object.values(fds).includes('/etc/hostname'));
          const calls = readFileSync(trace, 'utf8').split('\n');
          assert.ok(calls.some((call) => /\bclose\(9\)/.test(call)));
          // The limit is 4096 at least.
          assert.ok(calls.length < 1500, `${calls.length} calls`);
        },
      );
    }));

  test('SIGTERM runs onStop and the exit listeners, and leaves with 0', () =>
    program.play('stops', [{}, 50], {}, async (probe) => {
      const { pid } = await probe.next<{ pid: number }>();
      process.kill(pid, 'SIGTERM');
      assert.equal(await probe.next(), 'stopping');
      process.kill(pid, 'SIGTERM');
      assert.deepEqual(await probe.next(), { exit: 0 });
      assert.deepEqual(await probe.gone(), []);
    }));

  test(
    'a daemon that may not remove its PID file says so, and leaves with 0',
    needsRoot,
    () =>
      withFolder((folder) => {
        chmodSync(folder, 0o755);
        const [pidfile, stderr] = [join(folder, 'pid'), join(folder, 'log')];
        const options = { pidfile, stderr, user: 'nobody' };
        return program.play('stops', [options, 0], {}, async (probe) => {
          const { pid } = await probe.next<{ pid: number }>();
          process.kill(pid, 'SIGTERM');
          assert.equal(await probe.next(), 'stopping');
          assert.deepEqual(await probe.next(), { exit: 0 });
          await probe.gone();
          assert.equal(
            readFileSync(stderr, 'utf8'),
            `posix-daemonize: EACCES: permission denied, unlink '${pidfile}'\n`,
          );
          assert.equal(readFileSync(pidfile, 'utf8'), '');
        });
      }),
  );

  test(
    'a step that fails after root was given up is told to the terminal',
    needsRoot,
    () =>
      withFolder((folder) => {
        chmodSync(folder, 0o755);
        const pidfile = join(folder, 'pid');
        const options = { pidfile, user: 'nobody', detach: true };
        const nowhere = join(folder, 'nowhere');
        return program.play(
          'daemon',
          [options],
          { env: { NOTIFY_SOCKET: nowhere } },
          async (probe, launched) => {
            const { status, stderr } = launched;
            assert.equal(
              stderr,
              `posix-daemonize: step 'ready': ENOENT: no such file or directory, sendmsg '${nowhere}'\n`,
            );
            assert.equal(status, 1);
            assert.equal(readFileSync(pidfile, 'utf8'), '');
            assert.equal(
              (await probe.gone()).length,
              1,
              'the launching process',
            );
          },
        );
      }),
  );

  test('onStop has a deadline', () =>
    withFolder((folder) => {
      const stderr = join(folder, 'log');
      return program.play(
        'stops',
        [{ stderr, stopTimeout: 100 }, 1e6],
        {},
        async (probe) => {
          const { pid } = await probe.next<{ pid: number }>();
          process.kill(pid, 'SIGTERM');
          assert.equal(await probe.next(), 'stopping');
          assert.deepEqual(await probe.next(), { exit: 0 });
          assert.equal(
            readFileSync(stderr, 'utf8'),
            'posix-daemonize: onStop did not finish within 100 ms\n',
          );
        },
      );
    }));

  test('an onStop that fails is an error that nobody catches', () =>
    withFolder((folder) => {
      const stderr = join(folder, 'log');
      return program.play(
        'stops with an error',
        [{ stderr }],
        {},
        async (probe) => {
          const { pid } = await probe.next<{ pid: number }>();
          process.kill(pid, 'SIGTERM');
          await probe.gone();
          assert.match(readFileSync(stderr, 'utf8'), /Error: no such luck/);
        },
      );
    }));

  test('a program that listens to SIGTERM is left to itself', () =>
    program.play('listens itself', [{}], {}, async (probe) => {
      const { pid } = await probe.next<{ pid: number }>();
      for (let count = 0; count < 2; count++) {
        process.kill(pid, 'SIGTERM');
        assert.equal(await probe.next(), 'heard');
      }
    }));

  test('functions for SIGHUP and SIGTERM are called', () =>
    program.play('handlers', [{}], {}, async (probe) => {
      const { pid } = await probe.next<{ pid: number }>();
      for (const signal of ['SIGHUP', 'SIGTERM'] as const) {
        process.kill(pid, signal);
        assert.equal(await probe.next(), signal);
      }
    }));

  test("SIGHUP is ignored where that is asked for, and SIGTERM's default kept", () =>
    program.play(
      'daemon',
      [{ sighup: 'ignore', sigterm: 'default' }],
      {},
      async (probe) => {
        await probe.next();
        const { pid, ignored } = await probe.next<Daemon>();
        assert.ok(ignored.includes('SIGHUP'));
        process.kill(pid, 'SIGTERM');
        await probe.gone();
      },
    ));
});
