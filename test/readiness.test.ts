import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describe } from '../src/failure';
import type { Launched } from './helpers/launch';
import { forEachProgram } from './helpers/programs';
import { nodes } from './helpers/nodes';
import { until, withFolder } from './helpers/scenario';

interface Started {
  pid: number;
  launcher: number;
}

const notReady = (what: string, pid: number): string =>
  `posix-daemonize: ERR_DAEMON_NOT_READY: the daemon (pid ${pid}) ${what} before it was ready\n`;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

forEachProgram('readiness', (program) => {
  test('the launcher waits until the daemon is ready, and stderr is the terminal until then', () =>
    withFolder((folder) => {
      const stdout = join(folder, 'log');
      return program.watch(
        'ready later',
        [{ stdout, stderr: stdout }],
        { pty: true },
        async ({ process: { exitCode }, probe, launched }) => {
          const { pid } = await probe.next<Started>();
          await probe.next();
          assert.equal(exitCode, null);
          process.kill(pid, 'SIGUSR2');
          const { status, stdout: terminal } = await launched;
          assert.equal(status, 0);
          assert.equal(terminal, 'starting\nnot ready yet\n');
          assert.equal(await probe.next(), 'ready');
          assert.equal(readFileSync(stdout, 'utf8'), 'ready\n');
        },
      );
    }));

  const deaths: [
    scenario: string,
    args: unknown[],
    status: number,
    what: string,
    text?: RegExp,
  ][] = [
    ['throw', [], 1, 'exited with status 1', /Error: no such luck\n/],
    ['reject', [], 1, 'exited with status 1', /Error: no such luck\n/],
    ['exit', [7], 7, 'exited with status 7'],
    ['exit', [0], 1, 'exited with status 0'],
    ['end', [], 1, 'exited with status 0', /^/],
    ['killed', ['SIGKILL'], 137, 'was killed by SIGKILL'],
    ['killed', ['SIGSEGV'], 139, 'was killed by SIGSEGV'],
  ];
  for (const [scenario, args, expected, what, text] of deaths) {
    test(`a daemon that is not ready: ${[scenario, ...args].join(' ')}`, () =>
      program.play(scenario, args, {}, async (probe, launched) => {
        const { status, signal, stdout, stderr } = launched;
        const [first] = await probe.gone<Started | undefined>();
        const pid = first?.pid ?? Number(/pid (\d+)/.exec(stderr)?.[1]);
        assert.deepEqual([status, signal, stdout], [expected, null, '']);
        assert.ok(stderr.endsWith(notReady(what, pid)), stderr);
        if (text) assert.match(stderr, text);
        else assert.equal(stderr, `starting\n${notReady(what, pid)}`);
      }));
  }

  for (const exitCode of [undefined, 9]) {
    test(`fail() gives the message and ${exitCode ? "the error's" : 'a'} status`, () =>
      program.play('fail', [exitCode], {}, async (probe, launched) => {
        assert.deepEqual(outcome(launched), {
          status: exitCode ?? 1,
          stderr:
            'starting\nposix-daemonize: no configuration: ENOENT: no such file\n',
        });
        const reports = await probe.gone<object>();
        assert.deepEqual(reports.at(-1), { exit: exitCode ?? 1 });
      }));
  }

  test('fail() ends a daemon whose stderr takes nothing', () => {
    const options = { ready: 'now', stderr: '/dev/full' };
    return program.play('fail', [9, options], {}, async (probe) => {
      await probe.next();
      assert.deepEqual(await probe.gone(), [{ exit: 9 }]);
    });
  });

  test('fail() gives the stack where NODE_DEBUG asks for it', () =>
    program.play(
      'fail',
      [],
      { env: { NODE_DEBUG: 'posix-daemonize' } },
      (_, { stderr }) => {
        assert.match(
          stderr,
          /Error: no configuration\n {4}at .*readiness\.cjs/,
        );
      },
    ));

  test('a daemon that is not ready in time is ended', () =>
    withFolder((folder) => {
      const file = join(folder, 'ended');
      const args = [{ readyTimeout: 300 }, file, {}];
      return program.play('late', args, {}, async (probe, launched) => {
        const { pid } = await probe.next<Started>();
        assert.deepEqual(outcome(launched), {
          status: 1,
          stderr: `starting\nposix-daemonize: ERR_DAEMON_READY_TIMEOUT: the daemon (pid ${pid}) was not ready within 300 ms and was ended\n`,
        });
        assert.equal(readFileSync(file, 'utf8'), 'ended');
        assert.equal(isAlive(pid), false);
      });
    }));

  test('Ctrl-C ends both', () =>
    withFolder((folder) => {
      const file = join(folder, 'ended');
      return program.play(
        'late',
        [{}, file, {}],
        { pty: true, interruptAt: 'starting' },
        async (probe, { status, signal, stdout }) => {
          const { pid } = await probe.next<Started>();
          assert.deepEqual([status, signal], [null, 'SIGINT']);
          assert.match(stdout, /^starting\n(\^C)?$/);
          assert.equal(isAlive(pid), false);
        },
      );
    }));

  test('SIGTERM to the launcher ends both', () =>
    withFolder((folder) => {
      const file = join(folder, 'ended');
      return program.watch(
        'late',
        [{}, file, {}],
        {},
        async ({ probe, launched }) => {
          const { launcher } = await probe.next<Started>();
          await probe.next();
          process.kill(launcher, 'SIGTERM');
          const { status, signal } = await launched;
          assert.deepEqual([status, signal], [null, 'SIGTERM']);
          assert.equal(readFileSync(file, 'utf8'), 'ended');
          await probe.gone();
        },
      );
    }));

  test('a launcher that is killed leaves the daemon to itself', () =>
    program.watch('ready later', [{}], {}, async ({ probe, launched }) => {
      const { pid, launcher } = await probe.next<Started>();
      await probe.next();
      process.kill(launcher, 'SIGKILL');
      await until('its end', () => !isAlive(launcher));
      process.kill(pid, 'SIGUSR2');
      assert.equal(await probe.next(), 'ready');
      assert.equal((await launched).signal, 'SIGKILL');
    }));

  if (program.node === nodes[0]) {
    test('a daemon that does not listen to SIGTERM is killed', () =>
      withFolder((folder) => {
        const file = join(folder, 'asked');
        const args = [{ readyTimeout: 300 }, file, { deaf: true }];
        return program.play('late', args, {}, async (probe, { status }) => {
          const { pid } = await probe.next<Started>();
          assert.equal(status, 1);
          assert.equal(readFileSync(file, 'utf8'), 'asked');
          assert.equal(isAlive(pid), false);
        });
      }));

    test('5 s of silence are nothing', () =>
      program.play('silence', [{}, 5000], {}, (_, { status, ms }) => {
        assert.equal(status, 0);
        assert.ok(ms >= 5000);
      }));
  }
});

test('an error is told with its causes, or by its parts, whatever it is', () => {
  const refused = new AggregateError([new Error('ECONNREFUSED ::1'), 'x']);
  const endless = new Error('again');
  endless.cause = endless;
  for (const [error, text] of [
    ['plain', 'plain'],
    [new Error('outer', { cause: new Error('inner') }), 'outer: inner'],
    [new Error('outer', { cause: refused }), "outer: ECONNREFUSED ::1; 'x'"],
    [endless, Array(9).fill('again').join(': ')],
    [Object.create(null), '[Object: null prototype] {}'],
    [{ code: 5 }, '{ code: 5 }'],
    [undefined, 'undefined'],
  ] as const)
    assert.equal(describe(error), text);
  assert.match(describe(new RangeError()), /^RangeError\n/);
});

function outcome({ status, stderr }: Launched): object {
  return { status, stderr };
}
