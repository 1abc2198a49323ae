// Who gives up privileges has none left, and goes on with what it did.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import {
  assertIs,
  assertIsRoot,
  clock,
  drop,
  type Failure,
  needs,
  none,
  talk,
  users,
} from './helpers/privileges-drop';
import { forEachProgram } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';
import { readThreads } from './helpers/threads';

interface Server {
  pid: number;
  parent: number;
  dropped: Failure | null;
  port: number;
  again: string[];
  setgroups: string;
}

async function ask(port: number): Promise<unknown> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return JSON.parse(await text(socket));
}

forEachProgram('privileges-drop', (program) => {
  for (const how of ['daemonize()', 'fork()', 'nothing']) {
    test(
      `after ${how}, no thread of a busy server keeps anything, and it serves on`,
      needsRoot,
      () =>
        withFolder((folder) => {
          chmodSync(folder, 0o755);
          const secret = join(folder, 'secret');
          writeFileSync(secret, 'secret', { mode: 0o600 });
          const args = [how, { user: 'clock' }, secret];
          const through = users.command();
          return talk<Server>(
            program,
            'server',
            args,
            { through },
            async (told) => {
              assert.equal(told.dropped, null);
              assertIs(told.pid, clock);
              assert.deepEqual(told.again, Array(4).fill('EPERM'));
              assert.equal(told.setgroups, 'EPERM');
              assert.ok(told.port < 1024);
              assert.deepEqual(await ask(told.port), {
                inWorker: 'EACCES',
                inPool: Array(8).fill('EACCES'),
              });
              assertIs(told.pid, clock);
              if (how === 'fork()') assertIsRoot(told.parent);
            },
          );
        }),
    );
  }
});

describe('giving up privileges', () => {
  for (const detach of [true, undefined]) {
    const where = detach ? 'in a daemon' : 'in the foreground';
    const how = detach && { detach };

    test(
      `a chroot without /proc does not hide a thread, ${where}`,
      needsRoot,
      () =>
        withFolder((folder) => {
          const through = users.command();
          return drop(
            { user: 'clock' },
            { through, ...how, root: folder },
            (told) => {
              assert.deepEqual(told.privileges, clock);
              assert.equal(told.dropped, null);
              assertIs(told.pid, clock);
              const place = (path: string): string => {
                const { dev, ino } = statSync(path);
                return `${dev} ${ino}`;
              };
              // The way out of the chroot is closed.
              for (const fd of readdirSync(`/proc/${told.pid}/fd`))
                assert.notEqual(
                  place(`/proc/${told.pid}/fd/${fd}`),
                  place('/proc'),
                );
            },
          );
        }),
    );

    test(
      `a /proc that hides processes does not hide its own, ${where}`,
      needsRoot,
      () => {
        const hide = 'mount -t proc -o hidepid=2 proc /proc';
        const through = users.command(hide);
        return drop(
          { user: 'clock' },
          { through, ...how },
          ({ pid, dropped }) => {
            assert.equal(dropped, null);
            assertIs(pid, clock);
          },
        );
      },
    );

    for (const [what, ...options] of [
      ['SECBIT_NO_SETUID_FIXUP', '--securebits', '+no_setuid_fixup'],
      [
        'a locked one',
        '--securebits',
        '+no_setuid_fixup,+no_setuid_fixup_locked',
      ],
      ['inheritable capabilities', '--inh-caps', '+chown,+kill'],
      [
        'ambient capabilities',
        '--inh-caps',
        '+chown,+kill',
        '--ambient-caps',
        '+chown,+kill',
      ],
    ])
      test(
        `${what} left by the starter do not outlive it, ${where}`,
        needs('setpriv'),
        () => {
          const through = [...users.command(), 'setpriv', ...options];
          return drop(
            { user: 'clock' },
            { through, ...how },
            ({ pid, dropped }) => {
              assert.equal(dropped, null);
              assertIs(pid, clock);
            },
          );
        },
      );
  }

  test(
    'a user with capabilities becomes another one without',
    needs('setpriv'),
    () => {
      const caps = '+setuid,+setgid,+net_bind_service';
      const through = [
        ...users.command(),
        ...['setpriv', '--reuid=48810', '--regid=48811', '--clear-groups'],
        ...[`--inh-caps=${caps}`, `--ambient-caps=${caps}`],
      ];
      return drop({ user: 'clock' }, { through }, ({ pid, dropped }) => {
        assert.equal(dropped, null);
        assertIs(pid, clock);
      });
    },
  );

  test(
    'a user keeps no capability by asking to be who it is',
    needs('setpriv'),
    () => {
      const caps = '+net_bind_service';
      const through = [
        ...users.command(),
        ...['setpriv', '--reuid=48810', '--regid=48811', '--groups=48802'],
        ...[`--inh-caps=${caps}`, `--ambient-caps=${caps}`],
      ];
      return drop({ user: 'lonely' }, { through }, (told) => {
        assert.deepEqual(told.privileges, { uid: 48_810 });
        assert.equal(told.dropped, null);
        assertIs(told.pid, { uid: 48_810, gid: 48_811, groups: [48_802] });
      });
    },
  );

  test('the user root keeps its capabilities', needsRoot, () =>
    drop({ user: 'root', groups: [48_802] }, {}, ({ pid, dropped }) => {
      assert.equal(dropped, null);
      assertIsRoot(pid);
      for (const { Groups } of readThreads(pid)) assert.equal(Groups, '48802');
    }),
  );

  test('a group alone changes the group and nothing else', needsRoot, () =>
    drop({ group: 48_801 }, {}, ({ pid, privileges }) => {
      assert.deepEqual(privileges, { gid: 48_801 });
      for (const { Uid, Gid, CapEff } of readThreads(pid)) {
        assert.equal(Uid, '0\t0\t0\t0');
        assert.equal(Gid, '48801\t48801\t48801\t48801');
        assert.notEqual(CapEff, none);
      }
    }),
  );
});
