import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type Launched,
  type Launching,
  type LaunchOptions,
  type Report,
  within,
} from './helpers/launch';
import { needsCompiler, Preload } from './helpers/preload';
import { opens } from './helpers/processes';
import { forEachProgram } from './helpers/programs';
import { needsRoot, until, withFolder } from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

/** Of nobody else, so that a user's processes can be counted. */
const firstUid = 1_000_000 + process.pid * 100;

interface Failure {
  name: string;
  message: string;
  code: string;
  step?: string;
  syscall?: string;
  path?: string;
  thread?: string;
}

interface Survived {
  error: Failure;
  errors: Failure[];
  before: unknown;
  after: unknown;
  daemon: Report;
}

let number = 0;
let preload: Preload | undefined;

if (!needsCompiler.skip) preload = new Preload('faults');
after(() => preload?.remove());

forEachProgram('faults', (program) => {
  /** Plays a scenario that fails first and becomes a daemon then. */
  function survive(
    scenario: string,
    args: unknown[] = [],
    options = {},
  ): Promise<Survived> {
    return program.play(scenario, args, options, async (probe, launched) => {
      const { status, stdout, stderr } = launched;
      assert.deepEqual(
        { status, stdout, stderr },
        { status: 0, stdout: '', stderr: '' },
      );
      const report = await probe.next<Survived>();
      assert.deepEqual(report.after, report.before, 'all is as before');
      assertDaemon(report.daemon);
      return report;
    });
  }

  test('a file or folder that cannot be used is refused, and nothing is done', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'file');
      const missing = join(folder, 'missing');
      const beneath = join(file, 'beneath');
      writeFileSync(file, '');
      const cases = [
        [{ cwd: missing }, 'ENOENT', 'chdir', missing],
        [{ cwd: file }, 'ENOTDIR', 'chdir', file],
        [{ stdin: missing }, 'ENOENT', 'open', missing],
        [{ stdout: folder }, 'EISDIR', 'open', folder],
        [{ stdout: beneath }, 'ENOTDIR', 'open', beneath],
        [{ stdout: file, stderr: beneath }, 'ENOTDIR', 'open', beneath],
        [{ stdout: 99 }, 'EBADF', 'fstat', undefined],
      ] as const;
      const { errors } = await survive('refused', [
        cases.map(([options]) => ({ ...options, umask: 0o22 })),
      ]);
      assert.deepEqual(
        errors.map(({ name, code, syscall, path, step }) => [
          name,
          code,
          syscall,
          path,
          step,
        ]),
        cases.map(([, ...expected]) => ['PosixError', ...expected, 'open']),
      );
      assert.deepEqual(readdirSync(folder), ['file']);
    }));

  test('a log that the user may not write is refused', needsRoot, () =>
    withFolder(async (folder) => {
      const stdout = join(folder, 'log');
      const cwd = join(folder, 'private');
      mkdirSync(cwd, { mode: 0o700 });
      const { errors } = await survive('refused to a user', [
        firstUid + number++,
        [{ stdout }, { cwd }],
      ]);
      assert.deepEqual(
        errors.map(({ message, step }) => [message, step]),
        [
          [`EACCES: permission denied, open '${stdout}'`, 'open'],
          [`EACCES: permission denied, chdir '${cwd}'`, 'open'],
        ],
      );
    }),
  );

  test('options that are wrong are refused by name, and nothing is done', async () => {
    const cases: [unknown, string, RegExp][] = [
      [null, 'ERR_INVALID_ARG_TYPE', /"options" argument must be of type obj/],
      ['/', 'ERR_INVALID_ARG_TYPE', /"options" argument/],
      [{ stdOut: '/x' }, 'ERR_INVALID_ARG_VALUE', /stdOut.*'stdout'/],
      [{ preserveFd: [3] }, 'ERR_INVALID_ARG_VALUE', /'preserveFds'/],
      [{ workdir: '/' }, 'ERR_INVALID_ARG_VALUE', /workdir/],
      [{ umask: '022' }, 'ERR_INVALID_ARG_TYPE', /"options.umask" property/],
      [{ umask: 0o1000 }, 'ERR_OUT_OF_RANGE', /"options.umask"/],
      [{ umask: -1 }, 'ERR_OUT_OF_RANGE', /"options.umask"/],
      [{ umask: 1.5 }, 'ERR_OUT_OF_RANGE', /"options.umask".*integer/],
      [{ cwd: 1 }, 'ERR_INVALID_ARG_TYPE', /"options.cwd"/],
      [{ cwd: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', /options.cwd/],
      [{ stdin: true }, 'ERR_INVALID_ARG_TYPE', /"options.stdin"/],
      [{ stdout: null }, 'ERR_INVALID_ARG_TYPE', /"options.stdout"/],
      [{ stdout: '' }, 'ERR_INVALID_ARG_', /options.stdout/],
      [{ stderr: -1 }, 'ERR_OUT_OF_RANGE', /"options.stderr"/],
      [{ stderr: {} }, 'ERR_INVALID_ARG_TYPE', /"options.stderr.path"/],
      [{ preserveFds: 3 }, 'ERR_INVALID_ARG_TYPE', /"options.preserveFds"/],
      [{ preserveFds: ['3'] }, 'ERR_INVALID_ARG_TYPE', /preserveFds\[0\]/],
      [{ preserveFds: [3, -1] }, 'ERR_OUT_OF_RANGE', /preserveFds\[1\]/],
      [{ closeFds: true }, 'ERR_INVALID_ARG_VALUE', /closeFds.*'inherited'/],
      [{ sigchld: 'x' }, 'ERR_INVALID_ARG_VALUE', /sigchld.*'ignore'/],
      [{ title: 1 }, 'ERR_INVALID_ARG_TYPE', /"options.title"/],
    ];
    const { errors } = await survive('refused', [
      cases.map(([options]) => options),
    ]);
    for (const [index, [options, code, message]] of cases.entries()) {
      const error = errors[index]!;
      assert.ok(error.code.startsWith(code), JSON.stringify([options, error]));
      assert.match(error.message, message);
    }
  });

  test(
    'without enough processes or threads, every limit up to the last fails with EAGAIN',
    needsRoot,
    async () => {
      interface Result extends Survived {
        threads: number;
        states: unknown[];
      }
      const scenario = 'process limit';
      const options = { reaper: true };
      await program.play(
        scenario,
        [firstUid + number++],
        options,
        async (probe, { status }) => {
          assert.equal(status, 0);
          let result: Result;
          do {
            result = await probe.next<Result>();
          } while (!('daemon' in result)); // before: the ends of half daemons
          const { threads, states, errors, daemon } = result;
          // Two whole processes, and the one in between with its main thread.
          assert.equal(errors.length, threads + 2);
          for (const { code, step } of errors)
            assert.deepEqual({ code, step }, { code: 'EAGAIN', step: 'fork' });
          const calls = [...new Set(errors.map(({ syscall }) => syscall))];
          assert.deepEqual(calls, ['fork', 'clone']);
          for (const state of states) assert.deepEqual(state, states[0]);
          assert.equal(daemon.threads.length, threads);
          assertDaemon(daemon);
        },
      );
    },
  );

  test('without enough descriptors, every limit up to the last fails with EMFILE', () =>
    program.play('descriptor limit', [], {}, async (probe, { status }) => {
      assert.equal(status, 0);
      const { before, states, errors, daemon } = await probe.next<
        Survived & { states: unknown[] }
      >();
      for (const { code, message } of errors)
        assert.equal(code, 'EMFILE', message);
      const steps = [...new Set(errors.map(({ step }) => step))];
      assert.deepEqual(steps, ['open', 'fork']);
      for (const state of states) assert.deepEqual(state, before);
      assertDaemon(daemon);
    }));

  test('without a place in the queue of signals it fails with EAGAIN', async () => {
    const { error } = await survive('no signals');
    assert.deepEqual(
      [error.name, error.code, error.syscall, error.step],
      ['PosixError', 'EAGAIN', 'tgkill', 'fork'],
    );
  });

  test(
    'with the /proc of other processes it is refused',
    needsRoot,
    async () => {
      const through = ['unshare', '--pid', '--fork'];
      await program.play('foreign /proc', [], { through }, async (probe) => {
        const { error, before, after } = await probe.next<Survived>();
        assert.equal(error.code, 'ERR_DAEMON_UNSUPPORTED', error.message);
        assert.deepEqual(after, before);
      });
    },
  );

  test('without memory it fails with ENOMEM', async () => {
    const { error } = await survive('memory limit');
    assert.deepEqual(
      [error.name, error.message, error.step],
      ['PosixError', 'ENOMEM: not enough memory, mmap', 'fork'],
    );
  });

  for (const call of ['daemonize', 'fork']) {
    test(
      `${call} names a thread that does not stop in time, and a signal that comes late harms nobody`,
      needsCompiler,
      async () => {
        const fifo = preload!.makeFifo(`deaf-${number++}`);
        const through = preload!.command({ DEAF_UNTIL: fifo });
        const { error, daemon } = await survive('deaf thread', [call, fifo], {
          through,
        });
        assert.deepEqual(
          [error.name, error.code, error.thread, error.message],
          [
            'DaemonError',
            'ERR_DAEMON_THREAD_NOT_STOPPED',
            'deaf',
            "the thread 'deaf' could not be stopped for the fork",
          ],
        );
        const names = daemon.threads.map(({ comm }) => comm);
        assert.ok(names.includes('hears again'), names.join());
      },
    );
  }

  test('while /proc is hidden it says so', needsRoot, async () => {
    for (const [scenario, through] of [
      ['no /proc', ['unshare', '-m']],
      [
        'no /proc at all',
        [
          'unshare',
          '-m',
          'sh',
          '-c',
          'mount -t tmpfs none /proc && exec "$0" "$@"',
        ],
      ],
    ] as const) {
      const { error } = await survive(scenario, [], { through });
      assert.equal(error.code, 'ERR_DAEMON_UNSUPPORTED');
      assert.match(error.message, /^\/proc is not/);
    }
  });

  test('in a Worker it is refused', async () => {
    const { errors } = await survive('worker');
    for (const { name, code } of errors) {
      assert.equal(name, 'DaemonError');
      assert.equal(code, 'ERR_DAEMON_IN_WORKER');
    }
    assert.equal(errors.length, 2);
  });

  test('a daemon that calls again is told so and goes on', () =>
    program.play('twice', [], {}, async (probe, { status }) => {
      assert.equal(status, 0);
      const { error, before, after } = await probe.next<Survived>();
      assert.equal(error.code, 'ERR_DAEMON_ALREADY_DAEMON');
      assert.deepEqual(after, before);
    }));

  /**
   * Plays a scenario that fails in the daemon, after `interfere`.
   * @returns what the launching terminal sees
   */
  function fail(
    options: object,
    launch: LaunchOptions,
    interfere: (launching: Launching, pid: number) => Promise<void>,
    scenario = 'plain',
  ): Promise<Launched> {
    return program.watch(scenario, [options], launch, async (launching) => {
      const { probe, launched } = launching;
      const { pid } = await probe.next();
      await interfere(launching, pid);
      const result = await launched;
      assert.deepEqual(await probe.gone(), [], 'there is no daemon');
      return result;
    });
  }

  for (const pty of [false, true]) {
    const target = pty ? 'terminal' : 'stderr';
    test(
      `what fails in the daemon is told on the launcher's ${target}, which leaves with 1`,
      needsCompiler,
      () =>
        withFolder(async (folder) => {
          const cwd = join(folder, 'cwd');
          mkdirSync(cwd);
          const fifo = preload!.makeFifo(`hold-${number++}`);
          const through = preload!.command({ CHDIR_HOLD: fifo });
          const { status, stdout, stderr } = await fail(
            { cwd },
            { pty, through },
            async () => {
              const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
              rmdirSync(cwd);
              await writer.write('.');
              await writer.close();
            },
          );
          const message = `posix-daemonize: step 'chdir': ENOENT: no such file or directory, chdir '${cwd}'\n`;
          assert.equal(stdout, pty ? message : '');
          assert.equal(stderr, pty ? '' : message);
          assert.equal(status, 1);
        }),
    );
  }

  test('a folder that vanishes while output is flushed is told, and no output is lost', () =>
    withFolder(async (folder) => {
      const cwd = join(folder, 'cwd');
      const log = join(folder, 'log');
      mkdirSync(cwd);
      const { status, stdout, stderr } = await fail(
        { cwd, stdout: log },
        {},
        async ({ process: { stdout } }, pid) => {
          stdout!.pause();
          // It is opened after the folder was looked at.
          await until('the log to be open', () => opens(pid, log));
          rmdirSync(cwd);
          stdout!.resume();
        },
        'full pipe',
      );
      assert.equal(stdout, 'x'.repeat(2 ** 20));
      assert.match(stderr, /^posix-daemonize: step 'chdir': ENOENT: /);
      assert.equal(status, 1);
    }));

  test(
    'the launcher leaves with 1 when the daemon is killed before it is ready',
    needsCompiler,
    async () => {
      const through = preload!.command({ CHDIR_KILL: '1' });
      const { status, stderr } = await fail({}, { through }, async () => {});
      assert.equal(
        stderr,
        'posix-daemonize: the daemon ended before it was ready\n',
      );
      assert.equal(status, 1);
    },
  );
});

function assertDaemon(daemon: Report): void {
  assert.equal(daemon.nodePid, daemon.pid);
  assert.notEqual(daemon.sid, daemon.pid);
  assert.equal(daemon.pgid, daemon.sid);
  assert.ok(!existsSync(`/proc/${daemon.sid}`), 'the session leader is gone');
  assert.equal(daemon.cwd, '/');
  assert.equal(daemon.umask, 0);
}
