// What single options of daemonize() do to the daemon.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forEachProgram } from './helpers/programs';
import { root, until, withFolder } from './helpers/scenario';

const { SIGCHLD } = constants.signals;

const probeFds = ['REPORT_FD', 'DEADMAN_FD'];

const read = (path: string): string => readFileSync(path, 'utf8');

const unlimited = ['prlimit', '--core=unlimited'];

/** The kernel would put a core dump into the working directory. */
const mayDump =
  /^[^|/]+$/.test(read('/proc/sys/kernel/core_pattern').trim()) &&
  spawnSync(unlimited[0]!, [unlimited[1]!, 'true']).status === 0;

forEachProgram('daemonize', (program) => {
  test('env keeps what it names and the protocol of a supervisor, for children too', () => {
    const env = {
      KEPT: 'a=b\nc',
      EMPTY: '',
      GONE: 'secret',
      WATCHDOG_USEC: '1000000',
      INVOCATION_ID: '0123456789abcdef0123456789abcdef',
      LISTEN_FDNAMES: 'a:b',
    };
    const kept = [...probeFds, 'KEPT', 'EMPTY', 'NOT_SET'];
    return program.play(
      'environment',
      [{ env: kept, detach: true }],
      // It is meant for the process that sh becomes.
      { env, through: ['sh', '-c', 'WATCHDOG_PID=$$ exec "$0" "$@"'] },
      async (probe, { status, stderr }) => {
        assert.deepEqual([status, stderr], [0, '']);
        const { environ, env, pid } = await probe.next<{
          environ: string;
          env: Record<string, string>;
          pid: number;
        }>();
        const { REPORT_FD, DEADMAN_FD, ...own } = env;
        assert.ok(REPORT_FD && DEADMAN_FD);
        assert.deepEqual(own, {
          KEPT: 'a=b\nc',
          EMPTY: '',
          WATCHDOG_USEC: '1000000',
          WATCHDOG_PID: String(pid),
          INVOCATION_ID: '0123456789abcdef0123456789abcdef',
          LISTEN_FDNAMES: 'a:b',
        });
        const child = environ.split('\0').slice(0, -1).sort();
        const expected = Object.entries(env).map((pair) => pair.join('='));
        assert.deepEqual(child, expected.sort());
      },
    );
  });

  test('without core dumps the limit is 0 and a crash leaves none, as another user and with readiness too', () =>
    withFolder(async (folder) => {
      chmodSync(folder, 0o777);
      const crash = (options: object, cwd: string): Promise<string> =>
        program.play(
          'manual',
          [{ ...options, cwd }],
          { through: mayDump ? unlimited : [] },
          async (probe, { status, stderr }) => {
            assert.deepEqual([status, stderr], [0, '']);
            const { pid } = await probe.next<{ pid: number }>();
            const limits = read(`/proc/${pid}/limits`);
            process.kill(pid, 'SIGSEGV');
            await probe.gone();
            return /^Max core file size +(.*?) *bytes/m.exec(limits)![1]!;
          },
        );
      const cwd = join(folder, 'none');
      mkdirSync(cwd);
      chmodSync(cwd, 0o777);
      const user = root ? { user: 'nobody', group: 65_534 } : {};
      for (const options of [{}, user])
        assert.match(
          await crash({ ...options, coreDumps: false }, cwd),
          /^0 +0$/,
        );
      assert.deepEqual(readdirSync(cwd), []);
      // Where the machine would leave one here, it does so by default.
      if (!mayDump) return;
      const dumped = join(folder, 'dumped');
      mkdirSync(dumped);
      assert.match(await crash({}, dumped), /^unlimited/);
      assert.equal(readdirSync(dumped).length, 1);
    }));

  test("with sigchld: 'ignore' the kernel reaps a copy, otherwise it waits for its parent", async () => {
    for (const sigchld of ['ignore', 'default'] as const)
      await program.play('copy', [{ sigchld }], {}, async (probe) => {
        const { pid, copy } = await probe.next<{ pid: number; copy: number }>();
        assert.equal(ignores(pid, SIGCHLD), sigchld === 'ignore');
        const state = sigchld === 'ignore' ? undefined : 'Z';
        await until('the end of the copy', () => stateOf(copy) === state);
      });
  });

  test("child_process sees its children exit with sigchld: 'ignore' too, which ends by that", () =>
    program.play('child', [{ sigchld: 'ignore' }], {}, async (probe) => {
      const { pid, child } = await probe.next<{ pid: number; child: number }>();
      assert.deepEqual(await probe.next(), { exit: 0 });
      assert.equal(stateOf(child), undefined);
      assert.equal(ignores(pid, SIGCHLD), false);
    }));

  test("closeFds: 'none' keeps what was inherited, and notificationFd gets its newline and is closed", () =>
    withFolder((folder) => {
      const told = join(folder, 'told');
      const script = 'exec 8</etc/hostname 9>"$0"; exec "$@"';
      const through = ['bash', '-c', script, told];
      const options = {
        closeFds: 'none',
        notificationFd: 9,
        title: 'my-clock',
      };
      return program.play(
        'plain',
        [options],
        { through },
        async (probe, { status, stderr }) => {
          assert.deepEqual([status, stderr], [0, '']);
          assert.equal(read(told), '\n');
          const { pid, fds, title } = await probe.next();
          assert.equal(fds[8], '/etc/hostname');
          assert.equal(fds[9], undefined);
          assert.equal(title, 'my-clock');
          assert.equal(read(`/proc/${pid}/comm`), 'my-clock\n');
          assert.match(read(`/proc/${pid}/cmdline`), /^my-clock\0*$/);
        },
      );
    }));

  test('notificationFd is told when the daemon is ready, not before it is', () =>
    withFolder((folder) => {
      const told = join(folder, 'told');
      const through = ['bash', '-c', 'exec 9>"$0"; exec "$@"', told];
      const options = { notificationFd: 9 };
      return program.play(
        'fails',
        [{ ...options, pidfile: join(folder, 'p') }],
        { through },
        (_, launched) => {
          assert.equal(launched.status, 1);
          assert.equal(read(told), '');
        },
      );
    }));
});

function ignores(pid: number, signal: number): boolean {
  const [, set] = /^SigIgn:\s*(\w+)$/m.exec(read(`/proc/${pid}/status`))!;
  return (BigInt(`0x${set!}`) & (1n << BigInt(signal - 1))) !== 0n;
}

/** `'S'`, `'Z'` and so on; undefined once the process is gone and reaped. */
function stateOf(pid: number): string | undefined {
  try {
    return /^State:\s*(\w)/m.exec(read(`/proc/${pid}/status`))?.[1];
  } catch {
    return undefined;
  }
}
