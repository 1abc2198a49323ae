import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { buildSync } from 'esbuild';
import type { LaunchOptions } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { needsCompiler, Preload } from './helpers/preload';
import { forEachProgram, Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';
import { clockGroups, PrivateUsers } from './helpers/users';

interface Failure {
  name: string;
  message: string;
  code: string;
  syscall?: string;
  option?: string;
  thread?: string;
  tid?: number;
  field?: string;
  kept?: string;
}

interface Server {
  pid: number;
  parent: number;
  dropped: Failure | null;
  port: number;
  again: string[];
  setgroups: string;
}

interface Dropped {
  pid: number;
  privileges: object | null;
  refused: Failure | null;
  dropped: Failure | null;
}

const none = '0000000000000000';
const clock = { uid: 48_800, gid: 48_801, groups: clockGroups };

const users = new PrivateUsers();
const library = bundle();
const env = { PRIVILEGES: library };
const preload = needsCompiler.skip ? undefined : new Preload('stranger');
after(() => {
  users.remove();
  rmSync(dirname(library), { recursive: true });
  preload?.remove();
});

/** What is tested is no part of the package's door: a library of its own. */
function bundle(): string {
  const folder = mkdtempSync(join(tmpdir(), 'privileges-'));
  chmodSync(folder, 0o755);
  const source = join(__dirname, '../src');
  const outfile = join(folder, 'library.cjs');
  buildSync({
    stdin: {
      contents: ['posix/limits', 'privilege-drop', 'privileges']
        .map((module) => `export * from './${module}';`)
        .join('\n'),
      resolveDir: source,
    },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    // The addon is looked for from here.
    define: { __dirname: JSON.stringify(source) },
  });
  return outfile;
}

const needs = (program: string): { skip: boolean | string } =>
  needsRoot.skip
    ? needsRoot
    : {
        skip:
          spawnSync(program, ['--version']).error !== undefined &&
          `install ${program}`,
      };

const first = new Program(nodes[0], 'program.cjs', 'privileges-drop');

/** As the kernel says from outside, of each thread; the process may be gone. */
function threads(pid: number): Record<string, string>[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) =>
    Object.fromEntries(
      readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')
        .split('\n')
        .map((line) => line.split(/:\s*/, 2))
        .map(([name = '', value = '']) => [name, value.trim()]),
    ),
  );
}

/** Every thread is this user, and has no capability but in the bounding set. */
function assertIs(
  pid: number,
  { uid, gid, groups }: { uid: number; gid: number; groups: number[] },
): void {
  const all = threads(pid);
  assert.ok(all.length >= 5, 'a Node with its threads');
  for (const thread of all) {
    assert.equal(thread.Uid, `${uid}\t${uid}\t${uid}\t${uid}`);
    assert.equal(thread.Gid, `${gid}\t${gid}\t${gid}\t${gid}`);
    assert.equal(thread.Groups, groups.join(' '));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      assert.equal(thread[set], none, set);
  }
}

function assertIsRoot(pid: number): void {
  for (const { Uid, Gid, CapEff } of threads(pid)) {
    assert.equal(`${Uid} ${Gid}`, '0\t0\t0\t0 0\t0\t0\t0');
    assert.notEqual(CapEff, none);
  }
}

/** Drops in a process of its own, and hands what it said to `use`. */
function drop(
  options: object,
  {
    through = [],
    ...how
  }: { through?: string[]; detach?: true; root?: string },
  use: (told: Dropped) => void,
  program = first,
): Promise<void> {
  return talk(program, 'drop', [options, how], { through }, use);
}

/** Plays a scenario until it has said one thing; `use` looks at its process. */
function talk<T>(
  program: Program,
  scenario: string,
  args: unknown[],
  options: LaunchOptions,
  use: (told: T) => Promise<void> | void,
): Promise<void> {
  const launch = { ...options, env: { ...env, ...options.env } };
  return program.watch(scenario, args, launch, async ({ probe, launched }) => {
    const next = probe.next<T>().catch(async (cause: unknown) => {
      throw new Error((await launched).stderr, { cause });
    });
    await use(await next);
  });
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
        const stranger = threads(pid).find(({ Name }) => Name === 'stranger');
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

  test('the user root keeps its capabilities', needsRoot, () =>
    drop({ user: 'root', groups: [48_802] }, {}, ({ pid, dropped }) => {
      assert.equal(dropped, null);
      assertIsRoot(pid);
      for (const { Groups } of threads(pid)) assert.equal(Groups, '48802');
    }),
  );

  test('a group alone changes the group and nothing else', needsRoot, () =>
    drop({ group: 48_801 }, {}, ({ pid, privileges }) => {
      assert.deepEqual(privileges, { gid: 48_801 });
      for (const { Uid, Gid, CapEff } of threads(pid)) {
        assert.equal(Uid, '0\t0\t0\t0');
        assert.equal(Gid, '48801\t48801\t48801\t48801');
        assert.notEqual(CapEff, none);
      }
    }),
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

describe('who may become whom', () => {
  const lookUp = async (
    list: object[],
    through: string[],
  ): Promise<unknown[]> => {
    let answers: unknown[] = [];
    await talk<unknown[]>(first, 'look up', [list], { through }, (told) => {
      answers = told;
    });
    return answers;
  };

  test('names and ids are looked up', needsRoot, async () => {
    const wrong = 'ERR_INVALID_ARG_VALUE: The property';
    const noUser = 'must be a user of this machine: no such user. Received';
    const noGroup = 'must be a group of this machine: no such group. Received';
    const cases: [object, unknown][] = [
      [{}, null],
      [{ initgroups: false }, null],
      [{ user: 'clock' }, clock],
      [{ user: 48_800 }, clock],
      [{ user: '48800' }, clock],
      [{ user: '48820' }, { uid: 48_821, gid: 48_822, groups: [48_822] }],
      [{ user: 'lonely' }, { uid: 48_810, gid: 48_811, groups: [48_811] }],
      [
        { user: 'lonely', group: 'tower' },
        { uid: 48_810, gid: 48_802, groups: [48_802] },
      ],
      [
        { user: 'clock', initgroups: false },
        { uid: 48_800, gid: 48_801, groups: [48_801] },
      ],
      [
        { user: 'clock', groups: ['tower', 5, '6'] },
        { uid: 48_800, gid: 48_801, groups: [48_802, 5, 6] },
      ],
      [
        { user: 'clock', groups: [] },
        { uid: 48_800, gid: 48_801, groups: [] },
      ],
      [
        { user: 4_294_967_294, group: 'crowd' },
        { uid: 4_294_967_294, gid: 48_803, groups: [48_803] },
      ],
      [{ group: 'crowd' }, { gid: 48_803 }],
      [{ groups: ['crowd'] }, { groups: [48_803] }],
      [{ user: 'nosuch' }, `${wrong} 'options.user' ${noUser} 'nosuch'`],
      [{ user: '' }, `${wrong} 'options.user' ${noUser} ''`],
      [{ group: 'clocks' }, `${wrong} 'options.group' ${noGroup} 'clocks'`],
      [
        { groups: ['clock', 'no'] },
        `${wrong} 'options.groups[1]' ${noGroup} 'no'`,
      ],
      [
        { user: 5 },
        `${wrong} 'options.user' is the id of no user, so that ` +
          "'options.group' must be given too. Received 5",
      ],
      [
        { group: 1, initgroups: true },
        `${wrong} 'options.initgroups' needs 'options.user'. Received true`,
      ],
      [
        { uset: 1 },
        `${wrong} 'options.uset' is unknown, did you mean 'user'? Received 1`,
      ],
      [
        { user: -1 },
        'ERR_OUT_OF_RANGE: The value of "options.user" is out of range. ' +
          'It must be >= 0 && <= 4294967294. Received -1',
      ],
      [
        { user: '4294967295' },
        'ERR_OUT_OF_RANGE: The value of "options.user" is out of range. ' +
          'It must be >= 0 && <= 4294967294. Received 4294967295',
      ],
      [
        { groups: 'adm' },
        'ERR_INVALID_ARG_TYPE: The "options.groups" property must be ' +
          "an instance of Array. Received type string ('adm')",
      ],
      [
        { user: true },
        'ERR_INVALID_ARG_TYPE: The "options.user" property must be ' +
          'of type string or number. Received type boolean (true)',
      ],
    ];
    assert.deepEqual(
      await lookUp(
        cases.map(([options]) => options),
        users.command(),
      ),
      cases.map(([, expected]) => expected),
    );
  });

  const asLonely = (): string[] => [
    ...users.command(),
    ...['setpriv', '--reuid=48810', '--regid=48811', '--groups=48802'],
  ];
  const refused = (option: string, wanted: string, lacks: string): string =>
    `ERR_DAEMON_NOT_PRIVILEGED: 'options.${option}' asks for ${wanted}, which ` +
    `this process may not take: ${lacks}`;

  test('who is not root can only be who it is', needs('setpriv'), async () => {
    const lacks = (capability: string): string =>
      `it lacks ${capability}. Start it as root, or leave it out`;
    const cases: [object, unknown][] = [
      [{ user: 'lonely' }, { uid: 48_810 }],
      [
        { user: 48_810, group: 48_811 },
        { uid: 48_810, gid: 48_811 },
      ],
      [
        { user: 'lonely', groups: ['tower'] },
        { uid: 48_810, groups: [48_802] },
      ],
      [
        { user: 'lonely', initgroups: true },
        refused('groups', 'groups 48811', lacks('CAP_SETGID')),
      ],
      [{ user: 'clock' }, refused('user', 'uid 48800', lacks('CAP_SETUID'))],
      [{ user: 'root' }, refused('user', 'uid 0', lacks('CAP_SETUID'))],
      [
        { user: 'lonely', group: 'tower' },
        refused('group', 'gid 48802', lacks('CAP_SETGID')),
      ],
      [{ groups: [] }, refused('groups', 'no groups', lacks('CAP_SETGID'))],
    ];
    assert.deepEqual(
      await lookUp(
        cases.map(([options]) => options),
        asLonely(),
      ),
      cases.map(([, expected]) => expected),
    );
  });

  test('who asks to be who it is stays so', needs('setpriv'), () =>
    drop(
      { user: 'lonely', group: 'lonely' },
      { through: asLonely() },
      (told) => {
        assert.equal(told.refused?.code, 'ERR_INVALID_ARG_VALUE');
      },
    ).then(() =>
      drop({ user: 'lonely' }, { through: asLonely() }, ({ pid, dropped }) => {
        assert.equal(dropped, null);
        assertIs(pid, { uid: 48_810, gid: 48_811, groups: [48_802] });
      }),
    ),
  );

  test(
    'the root of a user namespace is told what it has not',
    needsRoot,
    async () => {
      const through = ['unshare', '--user', '--map-root-user'];
      const unmapped = 'its user namespace has no such id';
      assert.deepEqual(
        await lookUp(
          [
            { user: 33, group: 0 },
            { group: 33 },
            { groups: [] },
            { user: 'root', group: 'root', groups: [0] },
          ],
          ['setpriv', '--groups=0', ...through],
        ),
        [
          refused('user', 'uid 33', unmapped),
          refused('group', 'gid 33', unmapped),
          refused(
            'groups',
            'no groups',
            'its user namespace forbids setgroups(2)',
          ),
          { uid: 0, gid: 0, groups: [0] },
        ],
      );
    },
  );
});

for (const [who, through, options] of [
  ['who was root', [], { user: 65_534, group: 65_534 }],
  ['who never was', ['setpriv', '--reuid=65534', '--clear-groups'], null],
] as const)
  test(
    `${who} and may not dump core can be forked, and reads its /proc but for secrets`,
    needs('setpriv'),
    () =>
      talk<{ pid: number; forked: number; readable: object }>(
        first,
        'no core',
        [options],
        { through },
        (told) => {
          assert.equal(told.forked, 7);
          assert.deepEqual(told.readable, {
            status: 'yes',
            maps: 'yes',
            fd: 'yes',
            environ: 'EACCES',
          });
          const limits = readFileSync(`/proc/${told.pid}/limits`, 'utf8');
          assert.match(limits, /^Max core file size +0 +0 /m);
          // Of a dumpable process they belong to its user.
          assert.equal(statSync(`/proc/${told.pid}/environ`).uid, 0);
        },
      ),
  );
