// Which descriptors a daemon keeps, and where its standard streams lead.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { become, type Self } from './helpers/become';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

const O_APPEND = 0o2000;

forEachProgram('daemon', (program) => {
  /** Has /dev/zero open as 9 and 251, which Node.js marks differently. */
  const zeroAt9And251 = {
    through: ['bash', '-c', 'exec 9</dev/zero 251</dev/zero; exec "$0" "$@"'],
  };
  for (const [options, kept] of [
    [{}, []],
    [{ preserveFds: [9] }, ['9']],
    [{ preserveFds: [251] }, ['251']],
    [{ preserveFds: [9, 251] }, ['9', '251']],
    [{ closeFds: 'inherited' }, []],
    [{ closeFds: 'none' }, ['9', '251']],
  ] as const) {
    test(`of the inherited descriptors 9 and 251, ${JSON.stringify(options)} keeps ${kept.join(' and ') || 'none'}`, () =>
      become(
        program,
        options,
        (daemon, before) => {
          assert.equal(before.fds[9], '/dev/zero');
          assert.equal(before.fds[251], '/dev/zero');
          const open = Object.keys(daemon.fds).filter(
            (fd) => daemon.fds[fd] === '/dev/zero',
          );
          assert.deepEqual(open, kept);
          // Node.js has all its own, in its old places.
          for (const [fd, target] of Object.entries(before.fds)) {
            const [kind] = target.split(':', 1);
            // A ring of libuv may not be shared and is given up.
            if (Number(fd) > 2 && !/^\/dev\/zero|io_uring/.test(target))
              assert.equal(daemon.fds[fd]?.split(':', 1)[0], kind, fd);
          }
        },
        zeroAt9And251,
      ));
  }

  test('descriptors that systemd passes are kept, and named for the daemon', async () => {
    const shell =
      'exec 5</dev/zero 6</dev/zero; ' +
      'LISTEN_FDS=3 LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"';
    const launch = { through: ['bash', '-c', shell] };
    await program.play('activated', [], launch, async (probe, { status }) => {
      assert.equal(status, 0);
      const before = await probe.next<Self>();
      const daemon = await probe.next<Self>();
      assert.equal(before.env.LISTEN_PID, String(before.pid));
      assert.deepEqual(daemon.env, {
        LISTEN_PID: String(daemon.pid),
        WATCHDOG_PID: String(daemon.pid),
      });
      // The test's own two, and one more.
      for (const fd of [3, 4, 5]) assert.equal(daemon.fds[fd], before.fds[fd]);
      assert.notEqual(daemon.fds[6], '/dev/zero');
    });
  });

  test('what systemd passed to another process is neither kept nor renamed', () =>
    become(
      program,
      {},
      (daemon, before) => {
        assert.equal(before.fds[5], '/dev/zero');
        assert.notEqual(daemon.fds[5], '/dev/zero');
        assert.deepEqual(daemon.env, { LISTEN_PID: '1', WATCHDOG_PID: '1' });
      },
      {
        through: ['bash', '-c', 'exec 5</dev/zero; exec "$0" "$@"'],
        env: { LISTEN_FDS: '3', LISTEN_PID: '1', WATCHDOG_PID: '1' },
      },
    ));

  test('a relative cwd and relative paths mean the folder of the launch', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'sub'));
      await become(
        program,
        { cwd: 'sub', stdout: 'log' },
        (daemon) => {
          assert.equal(daemon.cwd, join(folder, 'sub'));
          assert.equal(daemon.fds[1], join(folder, 'log'));
        },
        { cwd: folder },
      );
    }));

  test('log files have mode 0640 and are appended to', () =>
    withFolder(async (folder) => {
      const log = join(folder, 'log');
      const old = join(folder, 'old');
      const input = join(folder, 'input');
      writeFileSync(old, 'old\n', { mode: 0o600 });
      writeFileSync(input, 'input\n');
      const options = { stdin: input, stdout: log, stderr: old };
      await program.play('copy', [options], {}, async (probe, { status }) => {
        assert.equal(status, 0);
        const { pid, fds } = await probe.next<Self>();
        assert.deepEqual([fds[0], fds[1], fds[2]], [input, log, old]);
        assert.equal(statSync(log).mode & 0o7777, 0o640);
        assert.equal(statSync(old).mode & 0o7777, 0o600);
        assert.equal(readFileSync(log, 'utf8'), 'input\nout\n');
        assert.equal(readFileSync(old, 'utf8'), 'old\nerr\n');
        for (const fd of [1, 2]) assert.ok(flags(pid, fd) & O_APPEND);
        assert.equal(flags(pid, 0) & 0o3, 0, 'stdin is for reading');
      });
    }));

  test("the mode of a log file obeys the daemon's umask", () =>
    withFolder(async (folder) => {
      const stdout = join(folder, 'log');
      await become(program, { umask: 0o77, stdout }, () => {
        assert.equal(statSync(stdout).mode & 0o7777, 0o600);
      });
    }));

  test('a target may be a descriptor of the program, or one of the other two', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'log');
      const scenario = 'into a descriptor';
      await program.play(scenario, [file], {}, async (probe, { status }) => {
        assert.equal(status, 0);
        const { fds } = await probe.next<Self>();
        assert.deepEqual([fds[1], fds[2]], [file, file]);
        assert.equal(readFileSync(file, 'utf8'), 'out\nerr\n');
      });
    }));

  test("what is 'inherit' leads where it led", () =>
    become(
      program,
      { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
      (daemon, before) => {
        for (const fd of [0, 1, 2])
          assert.equal(daemon.fds[fd], before.fds[fd]);
      },
      { until: 'exit' },
    ));
});

/** The O_ flags of an open descriptor. */
function flags(pid: number, fd: number): number {
  const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
  return Number.parseInt(/^flags:\s+(\d+)/m.exec(info)![1]!, 8);
}
