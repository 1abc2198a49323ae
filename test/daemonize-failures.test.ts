import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { type LaunchOptions, type Report, within } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { firstLine } from './helpers/pidfile';
import { needsCompiler, Preload } from './helpers/preload';
import { openersOf } from './helpers/processes';
import { forEachProgram, Program } from './helpers/programs';
import {
  asNobody,
  needsRoot,
  root,
  until,
  withFolder,
} from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

const nobody = 65_534;
const user = { user: 'nobody', group: nobody };
interface Failure {
  name: string;
  code: string;
  message: string;
  step?: string;
  /** There is a PID file afterwards. */
  left: boolean;
}

interface Refused {
  errors: Failure[];
  before: Report;
  after: Report;
}

const first = new Program(nodes[0], 'program.cjs', 'daemonize');
const preload = needsCompiler.skip ? undefined : new Preload('faults');
after(() => preload?.remove());

const read = (path: string): string => readFileSync(path, 'utf8');

/** Root, and a program of Debian. */
const needs = (program: string) => ({
  skip:
    needsRoot.skip ||
    (spawnSync(program, ['--version']).error !== undefined &&
      `install ${program}`),
});

/** A folder that everybody may look into, with a path for a PID file. */
const withPath = (use: (pidfile: string, folder: string) => Promise<void>) =>
  withFolder((folder) => {
    chmodSync(folder, 0o755);
    return use(join(folder, 'x.pid'), folder);
  });

/** With these options a daemon lives, for the time of `use`. */
const starts = (
  program: Program,
  options: { pidfile: string },
  use: (pid: number) => Promise<void> | void = () => {},
) =>
  program.play('plain', [options], {}, async (probe, { status, stderr }) => {
    assert.deepEqual([status, stderr], [0, '']);
    const { pid } = await probe.next();
    assert.equal(firstLine(options.pidfile), `${pid}\n`);
    assert.equal(Pidfile.holder(options.pidfile), pid);
    await use(pid);
  });

/** Nothing is left of a daemon that could not be, and another one can. */
async function assertFree(program: Program, pidfile: string): Promise<void> {
  assert.ok(!existsSync(pidfile), 'the PID file is removed');
  await starts(program, { pidfile });
}

/** What the launching terminal sees of a step that fails in the daemon. */
const fails = (
  program: Program,
  options: object,
  launch: LaunchOptions,
  expected: string | RegExp,
) =>
  program.play('plain', [options], launch, async (probe, launched) => {
    assert.deepEqual(await probe.gone(), [], 'there is no daemon');
    const { status, signal, stdout, stderr } = launched;
    if (typeof expected === 'string') assert.equal(stderr, expected);
    else assert.match(stderr, expected);
    assert.deepEqual([status, signal, stdout], [1, null, '']);
  });

const told = (step: string, message: string): string =>
  `posix-daemonize: step '${step}': ${message}\n`;

describe('a step that fails in the daemon is told, and nothing is left', () => {
  const inject = (fault: string): string[] => [
    ...['strace', '-f', '-qq', '-o', '/dev/null'],
    ...['-e', `trace=${fault.split(':')[0]}`, '-e', `inject=${fault}`],
  ];

  const limits = { ...user, coreDumps: false };
  for (const [fault, step, message, options] of [
    ['chroot:error=EPERM', 'chroot', 'EPERM: operation not permitted', user],
    ['chdir:error=EIO', 'chdir', "EIO: i/o error, chdir '/'", {}],
    ['dup2:error=EIO', 'stdio', 'EIO: i/o error, dup2', {}],
    [
      'setgroups:error=EPERM',
      'privileges',
      'EPERM: operation not permitted, setgroups',
      user,
    ],
    [
      'setresuid:error=EAGAIN',
      'privileges',
      'EAGAIN: resource temporarily unavailable, setresuid',
      user,
    ],
    [
      'prlimit64:error=EPERM',
      'core dumps',
      'EPERM: operation not permitted, setrlimit',
      limits,
    ],
  ] as const)
    test(`${step}: ${fault}`, needs('strace'), () =>
      withPath(async (pidfile, folder) => {
        const chroot = step === 'chroot' ? folder : undefined;
        const text = chroot ? `${message}, chroot '${chroot}'` : message;
        const through = inject(fault);
        const all = { ...options, chroot, pidfile };
        await fails(first, all, { through }, told(step, text));
        // What is in root's folder is not for the user to remove.
        if (options === limits) {
          assert.equal(read(pidfile), '');
          await starts(first, { ...user, pidfile });
        } else await assertFree(first, pidfile);
      }),
    );

  test('privileges: a setresuid that does nothing', needs('strace'), () =>
    withPath(async (pidfile) => {
      const through = inject('setresuid:retval=0');
      const options = { ...user, pidfile };
      await fails(
        first,
        options,
        { through },
        /^posix-daemonize: step 'privileges': privileges were not given up: the thread '.*' \(\d+\) has Uid 0 0 0 0\n$/,
      );
      await assertFree(first, pidfile);
    }),
  );

  test(
    'pid: a file that may not grow',
    { skip: needs('prlimit').skip || needsCompiler.skip },
    () =>
      withPath(async (pidfile) => {
        const fifo = preload!.makeFifo('hold');
        const through = preload!.command({ CHDIR_HOLD: fifo });
        await first.watch(
          'plain',
          [{ pidfile }],
          { through },
          async ({ probe, launched }) => {
            const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
            const [daemon] = openersOf(fifo);
            const limit = ['--fsize=0', `--pid=${daemon}`];
            assert.equal(spawnSync('prlimit', limit).status, 0);
            await writer.write('.');
            await writer.close();
            const { status, stderr } = await launched;
            assert.equal(
              stderr,
              told('pid', `EFBIG: file too large, write '${pidfile}'`),
            );
            assert.equal(status, 1);
            assert.deepEqual(await probe.gone(), []);
          },
        );
        await assertFree(first, pidfile);
      }),
  );

  test('ready: a supervisor that is not there', () =>
    withPath(async (pidfile, folder) => {
      const socket = join(folder, 'notify');
      const message = `ENOENT: no such file or directory, sendmsg '${socket}'`;
      const env = { NOTIFY_SOCKET: socket };
      const options = { detach: true, pidfile };
      await fails(first, options, { env }, told('ready', message));
      await assertFree(first, pidfile);
    }));
});

forEachProgram('daemonize', (program) => {
  test(
    'a chroot that root may not make is told, and nothing is left',
    needs('setpriv'),
    () =>
      withPath(async (pidfile, folder) => {
        const through = ['setpriv', '--bounding-set=-sys_chroot'];
        const options = { ...user, chroot: folder, pidfile };
        const message = `EPERM: operation not permitted, chroot '${folder}'`;
        await fails(program, options, { through }, told('chroot', message));
        await assertFree(program, pidfile);
      }),
  );

  /** Tries options that are refused, and becomes a daemon by the last. */
  const refuse = (
    list: object[],
    last: object,
    launch: LaunchOptions,
    use: (errors: Failure[], daemon: Report) => void,
  ) =>
    program.play(
      'refused',
      [list, last],
      launch,
      async (probe, { status, stderr }) => {
        assert.deepEqual([status, stderr], [0, '']);
        const { errors, before, after } = await probe.next<Refused>();
        const { umask, uids, groups, fds, pid } = before;
        assert.deepEqual(after, { umask, uids, groups, fds, pid });
        for (const { left, message } of errors) assert.ok(!left, message);
        use(errors, await probe.next());
      },
    );

  test(
    'a user that does not exist, or a disk that is full, is an error of the call, and the next call works',
    needsRoot,
    () =>
      withPath((pidfile, folder) => {
        const full = '/dev/full/x.pid';
        const size = join(folder, 'full');
        mkdirSync(size);
        const mount =
          'mount -t tmpfs -o size=4k,mode=755 none "$0"; head -c 4k /dev/zero >"$0/filler"; exec "$@"';
        const through = ['unshare', '-m', 'sh', '-c', mount, size];
        const path = join(size, 'x.pid');
        return refuse(
          [
            { user: 'no-such-user', pidfile, umask: 0o77 },
            { user: 'nobody', group: 'no-such-group', pidfile },
            { ...user, pidfile: full },
            { ...user, pidfile: path },
            { ...user, pidfile, chroot: join(folder, 'nowhere') },
            { ...user, pidfile, chroot: folder, cwd: 'nowhere' },
          ],
          { ...user, pidfile, umask: 0o27 },
          { through },
          (errors, daemon) => {
            assert.deepEqual(
              errors.map(({ code, step, message }) => [code, step, message]),
              [
                [
                  'ERR_INVALID_ARG_VALUE',
                  undefined,
                  "The property 'options.user' must be a user of this machine: no such user. Received 'no-such-user'",
                ],
                [
                  'ERR_INVALID_ARG_VALUE',
                  undefined,
                  "The property 'options.group' must be a group of this machine: no such group. Received 'no-such-group'",
                ],
                [
                  'ENOTDIR',
                  'pidfile',
                  `ENOTDIR: not a directory, open '${full}'`,
                ],
                [
                  'ENOSPC',
                  'pidfile',
                  `ENOSPC: no space left on device, write '${path}'`,
                ],
                [
                  'ENOENT',
                  'open',
                  `ENOENT: no such file or directory, chroot '${folder}/nowhere'`,
                ],
                [
                  'ENOENT',
                  'open',
                  `ENOENT: no such file or directory, chdir '${folder}/nowhere'`,
                ],
              ],
            );
            assert.deepEqual(daemon.uids, Array(4).fill(nobody));
            assert.equal(firstLine(pidfile), `${daemon.pid}\n`);
          },
        );
      }),
  );

  test(
    'who is not root is refused another user, and may be itself',
    needs('setpriv'),
    () =>
      withFolder((folder) => {
        chmodSync(folder, 0o777);
        const pidfile = join(folder, 'x.pid');
        return refuse(
          [
            { user: 'root', pidfile },
            { user: 'daemon', pidfile },
            { groups: [1], pidfile },
          ],
          { user: 'nobody', pidfile },
          { through: asNobody },
          (errors, daemon) => {
            assert.deepEqual(
              errors.map(({ code, step, message }) => [
                code,
                step,
                message.slice(0, message.indexOf(',')),
              ]),
              [
                ["'options.user' asks for uid 0"],
                ["'options.user' asks for uid 1"],
                ["'options.groups' asks for groups 1"],
              ].map(([message]) => [
                'ERR_DAEMON_NOT_PRIVILEGED',
                'users',
                message,
              ]),
            );
            assert.deepEqual(daemon.uids, Array(4).fill(nobody));
            assert.equal(firstLine(pidfile), `${daemon.pid}\n`);
          },
        );
      }),
  );

  test('a second start names the pid of the first on the terminal, and leaves it alone', () =>
    withPath((pidfile) =>
      starts(program, { pidfile }, async (pid) => {
        await program.play(
          'plain',
          [{ pidfile }],
          {},
          async (probe, second) => {
            assert.deepEqual(await probe.gone(), []);
            assert.equal(second.status, 1);
            assert.equal(second.stdout, '');
            const text = `already running with pid ${pid}, which holds '${pidfile}'`;
            assert.ok(second.stderr.includes(`DaemonError: ${text}\n`));
            assert.match(second.stderr, /code: 'ERR_DAEMON_ALREADY_RUNNING'/);
          },
        );
        assert.equal(firstLine(pidfile), `${pid}\n`);
        assert.equal(Pidfile.holder(pidfile), pid);
        process.kill(pid, 0);
      }),
    ));

  for (const options of [{}, ...(root ? [user] : [])])
    test(`a daemon that fails before it is ready leaves no PID file ${JSON.stringify(options)}`, () =>
      withPath(async (_, folder) => {
        const path = join(folder, 'run/x.pid');
        const pidfile = { path, mkdir: true };
        const all = { ...options, pidfile };
        await program.play('fails', [all], {}, async (probe, launched) => {
          const { status, stderr } = launched;
          assert.equal(stderr, 'posix-daemonize: no configuration\n');
          assert.equal(status, 1);
          const [written] = await probe.gone<{ pidfile: string }>();
          assert.match(written!.pidfile, /^\d+\n/);
        });
        assert.ok(!existsSync(path));
        rmdirSync(join(folder, 'run'));
      }));
});

test('an error that nobody catches removes the PID file, SIGKILL leaves it for the next', () =>
  withPath(async (pidfile) => {
    await first.play('errs', [{ pidfile }], {}, (probe) => probe.gone());
    assert.ok(!existsSync(pidfile));
    await starts(first, { pidfile }, async (pid) => {
      process.kill(pid, 'SIGKILL');
      await until('its end', () => Pidfile.holder(pidfile) === null);
      assert.equal(firstLine(pidfile), `${pid}\n`);
    });
    await starts(first, { pidfile });
  }));

test('of ten that start at once one lives, and the others are told', () =>
  withPath(async (pidfile) => {
    const all = Array.from({ length: 10 }, () =>
      first.start('plain', [{ pidfile }]),
    );
    try {
      const ends = await Promise.all(all.map(({ launched }) => launched));
      const winner = ends.findIndex(({ status }) => status === 0);
      const { pid } = await all[winner]!.probe.next();
      assert.equal(firstLine(pidfile), `${pid}\n`);
      for (const [index, { status, stderr }] of ends.entries()) {
        if (index === winner) continue;
        assert.equal(status, 1);
        assert.match(stderr, /ERR_DAEMON_ALREADY_RUNNING/);
        assert.deepEqual(await all[index]!.probe.gone(), []);
        const other = /already running with pid (\d+)/.exec(stderr)?.[1];
        if (other !== undefined) assert.equal(Number(other), pid);
      }
    } finally {
      await Promise.all(all.map(({ probe }) => probe.end()));
    }
    assert.ok(!existsSync(pidfile));
  }));
