// What is kept of privileges all the same is lost too, or noticed.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { nodes } from './helpers/nodes';
import { needsCompiler, Preload } from './helpers/preload';
import {
  assertIs,
  clock,
  drop,
  type Dropped,
  needs,
  talk,
  users,
} from './helpers/privileges-drop';
import { Program } from './helpers/programs';
import { needsRoot } from './helpers/scenario';
import { readThreads } from './helpers/threads';

const preload = needsCompiler.skip ? undefined : new Preload('stranger');
after(() => preload?.remove());

describe('giving up privileges', () => {
  test(
    'a thread that keeps capabilities over setuid(2) loses them',
    needs('g++'),
    () => {
      const through = [
        ...users.command(),
        ...preload!.command({ KEEP_CAPS: '1' }),
      ];
      return drop({ user: 'clock' }, { through }, ({ pid, dropped }) => {
        assert.equal(dropped, null);
        assertIs(pid, clock);
      });
    },
  );

  test(
    'a thread that the C library does not know is found',
    needs('g++'),
    () => {
      const through = [
        ...users.command(),
        ...preload!.command({ STRANGER: '1' }),
      ];
      return drop({ user: 'clock' }, { through }, ({ pid, dropped }) => {
        const stranger = readThreads(pid).find(
          ({ Name }) => Name === 'stranger',
        );
        assert.deepEqual(dropped, {
          name: 'DaemonError',
          message:
            "privileges were not given up: the thread 'stranger' " +
            `(${stranger!.Pid}) has Uid 0 0 0 0`,
          code: 'ERR_DAEMON_PRIVILEGES_KEPT',
          thread: 'stranger',
          tid: Number(stranger!.Pid),
          field: 'Uid',
          kept: '0 0 0 0',
        });
      });
    },
  );

  for (const [call, field, kept, more] of [
    ['setresuid', 'Uid', '0 0 0 0', []],
    ['setresgid', 'Gid', '0 0 0 0', []],
    ['setgroups', 'Groups', '7', []],
    [
      'capset',
      'CapInh',
      '400',
      ['setpriv', '--inh-caps=-all,+net_bind_service'],
    ],
  ] as const)
    test(
      `a ${call} that does nothing and says it did is noticed`,
      needs('strace'),
      () => {
        const strace = ['strace', '-f', '-qq', '-o', '/dev/null'];
        const through = [
          ...users.command(),
          ...['setpriv', '--groups=7'],
          ...more,
          ...[
            ...strace,
            '-e',
            `trace=${call}`,
            '-e',
            `inject=${call}:retval=0`,
          ],
        ];
        return drop({ user: 'clock' }, { through }, ({ dropped }) => {
          assert.equal(dropped?.code, 'ERR_DAEMON_PRIVILEGES_KEPT');
          assert.deepEqual([dropped.field, dropped.kept], [field, kept]);
        });
      },
    );

  for (const [call, way] of [
    ['setresuid', 'seteuid(0)'],
    ['setresgid', 'setegid(0)'],
    ['setgroups', 'setgroups'],
  ] as const)
    test(
      `a ${call} that lets root come back is noticed`,
      needs('strace'),
      () => {
        const inject = `inject=${call}:retval=0:when=2+`;
        const through = [
          ...users.command(),
          ...['setpriv', '--groups=7'],
          ...['strace', '-f', '-qq', '-o', '/dev/null'],
          ...['-e', `trace=${call}`, '-e', inject],
        ];
        return drop({ user: 'clock' }, { through }, ({ dropped }) => {
          assert.equal(dropped?.code, 'ERR_DAEMON_PRIVILEGES_KEPT');
          const { field, kept } = dropped;
          assert.deepEqual([field, kept], ['root again by', way]);
        });
      },
    );

  // Of the lines of Node.js under test, only this one still makes such a ring.
  const uring = nodes.find(({ version }) => version.startsWith('20.'));
  const needsRing = {
    skip: needsRoot.skip || (!uring && 'install Node.js 20'),
  };

  test('a ring that works on as root is found', needsRing, (t) =>
    talk<Dropped & { ring: boolean }>(
      new Program(uring!, 'program.cjs', 'privileges-drop'),
      'drop with a ring',
      [{ user: 65_534, group: 65_534 }],
      { env: { UV_USE_IO_URING: '1' } },
      ({ ring, dropped }) => {
        if (!ring) return t.skip('set kernel.io_uring_disabled to 0');
        assert.equal(dropped?.code, 'ERR_DAEMON_PRIVILEGES_KEPT');
        assert.match(dropped.thread!, /^iou-/);
        assert.deepEqual([dropped.field, dropped.kept], ['Uid', '0 0 0 0']);
      },
    ),
  );
});
