// What becomes of a program that becomes a daemon, wherever it calls.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { places } from './fixtures/daemon.cjs';
import { become, endOf, isEnd, nextOf, type Self } from './helpers/become';
import type { Report } from './helpers/launch';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

forEachProgram('daemon', (program) => {
  test('launched on a terminal it becomes what APUE figure 13.1 makes, with all threads', () =>
    become(
      program,
      {},
      (daemon, before, { stdout }) => {
        assert.equal(stdout, '', 'nothing appears on the terminal');

        assert.notEqual(before.tty, null);
        assert.equal(daemon.tty, null, 'no controlling terminal');
        assert.notEqual(daemon.sid, before.sid, 'a session of its own');
        assert.notEqual(daemon.sid, daemon.pid, 'not a session leader');
        assert.equal(daemon.pgid, daemon.sid);
        assert.ok(!existsSync(`/proc/${daemon.sid}`), 'the leader is gone');
        assert.equal(daemon.ppid, before.ppid, 'its parent is the reaper');
        assert.equal(daemon.nodePpid, daemon.ppid);
        assert.notEqual(daemon.pid, before.pid);
        assert.equal(daemon.nodePid, daemon.pid);
        assert.deepEqual(daemon.context, {
          pid: daemon.pid,
          launcher: 'shell',
          detached: true,
        });

        assert.equal(daemon.cwd, '/');
        assert.equal(daemon.nodeCwd, '/');
        assert.equal(daemon.umask, 0);
        for (const fd of [0, 1, 2]) assert.equal(daemon.fds[fd], '/dev/null');
        assert.deepEqual(
          Object.values(daemon.fds).filter((path) => path === before.tty),
          [],
        );

        for (const what of [
          'root',
          'uids',
          'gids',
          'groups',
          'sigmask',
          'caught',
          'execArgv',
          'argv',
          'title',
        ] as const)
          assert.deepEqual(daemon[what], before[what], what);
        assert.deepEqual(
          daemon.ignored.toSorted(),
          [...before.ignored, 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].toSorted(),
        );
        assert.deepEqual(threadNames(daemon), threadNames(before));
        for (const { tid } of daemon.threads)
          assert.ok(!before.threads.some((old) => old.tid === tid));
      },
      { pty: true, reaper: true },
    ));

  test('the code before the call runs once, that after it too, and nobody else is left', async () => {
    const reports = await program.watch(
      'become',
      [{}],
      { reaper: true },
      async ({ probe, launched }) => {
        await launched;
        return probe.end<unknown>();
      },
    );
    const own = reports.filter((report) => !isEnd(report));
    const [before, daemon] = own as [Self, Self];
    assert.notEqual(before.pid, daemon.pid);
    assert.deepEqual(own.slice(2), ['alive']);
    assert.equal(endOf(daemon, reports)?.status, 0);
  });

  test('the options of Node.js are kept', () =>
    become(
      program,
      {},
      (daemon, before) => {
        assert.deepEqual(daemon.execArgv, ['--max-old-space-size=123']);
        assert.equal(daemon.heapLimit, before.heapLimit);
      },
      { execArgv: ['--max-old-space-size=123'] },
    ));

  for (const place of Object.keys(places)) {
    test(`a program may call from ${place}`, async () => {
      const launch = { input: 'input', reaper: true };
      await program.play(
        'callFrom',
        [place],
        launch,
        async (probe, launched) => {
          const { status, stdout, stderr } = launched;
          assert.equal(status, 0, stdout + stderr);
          const daemon = await nextOf(probe);
          assert.equal(daemon.nodePid, daemon.pid);
          assert.notEqual(daemon.sid, daemon.pid);
          const rest = await probe.end<unknown>();
          const alive = place === 'its last moment' ? [] : ['alive'];
          assert.deepEqual(
            rest.filter((report) => !isEnd(report)),
            alive,
          );
          assert.equal(endOf(daemon, rest)?.status, 0);
        },
      );
    });
  }

  test('umask, cwd and title are as the options say', () =>
    withFolder((folder) =>
      become(
        program,
        { umask: 0o27, cwd: folder, title: 'my daemon' },
        (daemon) => {
          assert.equal(daemon.umask, 0o27);
          assert.equal(daemon.cwd, folder);
          assert.equal(daemon.nodeCwd, folder);
          assert.equal(daemon.title, 'my daemon');
          const shown = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
          assert.match(shown, /^my daemon\0/);
        },
      ),
    ));

  test('SIGHUP ends the daemon, as it would have ended the program', async () => {
    const options = { reaper: true };
    await program.play('sighup', [false], options, async (probe) => {
      const daemon = await nextOf(probe);
      assert.ok(!daemon.ignored.includes('SIGHUP'));
      process.kill(daemon.pid, 'SIGHUP');
      const ends = await probe.gone<unknown>();
      assert.equal(endOf(daemon, ends)?.signal, constants.signals.SIGHUP);
    });
  });

  test('a listener for SIGHUP that was there before the call hears it in the daemon', () =>
    program.play('sighup', [true], {}, async (probe) => {
      const { pid } = await probe.next<Self>();
      process.kill(pid, 'SIGHUP');
      assert.equal(await probe.next<unknown>(), 'SIGHUP');
    }));

  test('children are waited for, or left to the kernel where SIGCHLD is ignored', async () => {
    for (const sigchld of ['default', 'ignore']) {
      await program.play('children', [sigchld], {}, async (probe) => {
        const { pid, status } = await probe.next<{
          pid: number;
          status: unknown;
        }>();
        assert.deepEqual(
          status,
          sigchld === 'ignore' ? 'ECHILD' : { pid, exitCode: 7, signal: null },
        );
      });
    }
  });
});

function threadNames({ threads }: Report): string[] {
  return threads.map(({ comm }) => comm).sort();
}
