// What fails in the daemon is told to who launched it, and nothing is left.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { assertFree, first, needs, starts, user } from './helpers/daemonize';
import { type LaunchOptions, within } from './helpers/launch';
import { withPath } from './helpers/pidfile';
import { needsCompiler, Preload } from './helpers/preload';
import { openersOf } from './helpers/processes';
import { forEachProgram, type Program } from './helpers/programs';
import { root } from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

const preload = needsCompiler.skip ? undefined : new Preload('faults');
after(() => preload?.remove());

const read = (path: string): string => readFileSync(path, 'utf8');

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
