// What daemonize() refuses, it refuses by name, and all is as before.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Survived, survive } from './helpers/faults';
import { forEachProgram } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

/** Of nobody else, so that a user's processes can be counted. */
const firstUid = 1_000_000 + process.pid * 100;

let number = 0;

forEachProgram('faults', (program) => {
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
      const { errors } = await survive(program, 'refused', [
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
      const { errors } = await survive(program, 'refused to a user', [
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
    const { errors } = await survive(program, 'refused', [
      cases.map(([options]) => options),
    ]);
    for (const [index, [options, code, message]] of cases.entries()) {
      const error = errors[index]!;
      assert.ok(error.code.startsWith(code), JSON.stringify([options, error]));
      assert.match(error.message, message);
    }
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
      const { error } = await survive(program, scenario, [], { through });
      assert.equal(error.code, 'ERR_DAEMON_UNSUPPORTED');
      assert.match(error.message, /^\/proc is not/);
    }
  });

  test('in a Worker it is refused', async () => {
    const { errors } = await survive(program, 'worker');
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
});
