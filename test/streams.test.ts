import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LaunchOptions } from './helpers/launch';
import { opens } from './helpers/processes';
import { forEachProgram } from './helpers/programs';
import { until, withFolder } from './helpers/scenario';

interface Written {
  before: number;
  all: number;
}

interface Much extends Written {
  inOrder: boolean;
  needsDrain: boolean;
  drains: number;
  left: number;
}

interface WriteError {
  code?: string;
  syscall?: string;
}

/** Behind a pipe that is none of Node.js's own, which are sockets. */
const pipe: LaunchOptions = {
  through: ['bash', '-c', 'set -o pipefail; "$0" "$@" | cat'],
};

/** Who has a terminal takes it along: a shell that lives with the test. */
const shell = [
  'sh',
  '-c',
  '"$0" "$@"; status=$?; read _ <&"$DEADMAN_FD"; exit $status',
];

// All that Node.js asks before it colours: a CI service sets some of these.
const asOnTerminal = {
  TERM: 'xterm-256color',
  CI: undefined,
  TF_BUILD: undefined,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  NODE_DISABLE_COLORS: undefined,
};

function lines(from: number, to: number): string {
  let text = '';
  for (let number = from; number < to; number++)
    text += `${String(number).padStart(7)}\n`;
  return text;
}

forEachProgram('streams', (program) => {
  /**
   * Plays a scenario whose standard output nobody reads until it has to wait
   * for a reader in `daemonize`.
   */
  function neglect<First, Last>(
    scenario: string,
    log: string,
    options: LaunchOptions,
    use: (first: First, last: Last, stdout: string) => void,
  ): Promise<void> {
    return program.watch(
      scenario,
      [{ stdout: log }],
      options,
      async ({ process: child, probe, launched }) => {
        child.stdout!.pause();
        const first = await probe.next<First & { pid: number }>();
        await until('the log to be open', () => opens(first.pid, log));
        child.stdout!.resume();
        const { status, stdout, stderr } = await launched;
        assert.equal(status, 0, stderr);
        use(first, await probe.next<Last>(), stdout);
      },
    );
  }

  for (const [kind, options] of [
    ['socket', {}],
    ['pipe', pipe],
  ] as const) {
    test(`what a full ${kind} has not taken is waited for, what is written later is in the log`, () =>
      withFolder((folder) => {
        const log = join(folder, 'log');
        return neglect<Written, Much>(
          'much',
          log,
          options,
          ({ before }, { all, inOrder, needsDrain, drains, left }, stdout) => {
            assert.ok(stdout === lines(0, before), 'once, in order, whole');
            assert.equal(readFileSync(log, 'utf8'), lines(before, all));
            assert.ok(needsDrain, 'the stream was full');
            assert.equal(drains, 1);
            assert.equal(left, 0);
            assert.ok(inOrder, 'each callback once, in order');
          },
        );
      }));

    test(`a pipeline that waits for a full ${kind} goes on into the log`, () =>
      withFolder((folder) => {
        const log = join(folder, 'log');
        return neglect<unknown, Written>(
          'pipeline',
          log,
          options,
          (_, { all }, stdout) => {
            const rest = readFileSync(log, 'utf8');
            assert.ok(stdout.length > 0);
            assert.ok(rest.length > 0);
            assert.ok(stdout + rest === lines(0, all), 'once, in order, whole');
          },
        );
      }));
  }

  test("what a full output that is 'inherit' has not taken is written by the daemon", () =>
    program.watch(
      'much',
      [{ stdout: 'inherit' }],
      {},
      async ({ process: child, probe, launched }) => {
        child.stdout!.pause();
        await probe.next();
        await once(child, 'exit');
        child.stdout!.resume();
        const { all, inOrder } = await probe.next<Much>();
        assert.ok(inOrder, 'each callback once, in order');
        await probe.end();
        const { status, stdout } = await launched;
        assert.equal(status, 0);
        assert.ok(stdout === lines(0, all), 'once, in order, whole');
      },
    ));

  test('what is corked before the call goes where it was meant to', () =>
    withFolder((folder) => {
      const log = join(folder, 'log');
      return program.play(
        'corked',
        [{ stdout: log }],
        {},
        async (probe, { stdout }) => {
          const { before, all, called } = await probe.next<
            Written & { called: number[] }
          >();
          assert.equal(stdout, lines(0, before));
          assert.equal(readFileSync(log, 'utf8'), lines(before, all));
          assert.deepEqual(called, [...Array(all).keys()]);
        },
      );
    }));

  test('the console of a Worker moves with that of its process', () =>
    withFolder((folder) => {
      const log = join(folder, 'log');
      return program.play(
        'worker',
        [{ stdout: log }],
        {},
        async (probe, { stdout }) => {
          await probe.next();
          assert.equal(stdout, 'launcher\n');
          assert.equal(readFileSync(log, 'utf8'), 'daemon\n');
        },
      );
    }));

  test('a console that was coloured on a terminal is plain in a log', () =>
    withFolder((folder) => {
      const log = join(folder, 'log');
      return program.play(
        'colours',
        [{ stdout: log }],
        { pty: true, env: asOnTerminal },
        async (probe, { stdout }) => {
          assert.equal(stdout, '{ before: \x1b[33m1\x1b[39m }\n');
          assert.deepEqual(await probe.next(), {
            hasColors: false,
            isTTY: false,
            columns: null,
          });
          assert.equal(readFileSync(log, 'utf8'), '{ after: 1 }\n');
        },
      );
    }));

  test('a new size of the terminal is nothing to a daemon that left it, or kept it', () =>
    withFolder(async (folder) => {
      for (const stdout of [join(folder, 'log'), 'inherit']) {
        const kept = stdout === 'inherit';
        await program.watch(
          'resize',
          [{ stdout }],
          { pty: true, through: shell },
          async ({ probe, launched }) => {
            const { isTTY, fds } = await probe.next<{
              isTTY: boolean;
              fds: Record<string, string>;
            }>();
            assert.equal(isTTY, kept);
            const terminals = Object.values(fds).filter((path) =>
              path.startsWith('/dev/pts/'),
            );
            assert.equal(terminals.length > 0, kept, terminals.join());
            await probe.end();
            const launch = await launched;
            assert.equal(launch.status, 0);
            assert.equal(launch.stdout, kept ? 'before\nafter\n' : 'before\n');
            if (!kept) assert.equal(readFileSync(stdout, 'utf8'), 'after\n');
          },
        );
      }
    }));

  test('an interface of readline on the old input is closed', () =>
    program.play(
      'readline',
      [{}],
      { input: 'first\nsecond\nwithout end' },
      async (probe) => {
        const lines = await probe.next();
        assert.deepEqual(lines, ['first', 'second', 'without end']);
      },
    ));

  test("an input that is 'inherit' goes on where it was", () => {
    const input = 'x'.repeat(150_000);
    return program.play(
      'input',
      [{ stdin: 'inherit' }],
      { input, until: 'exit' },
      async (probe) => {
        const { before, after } = await probe.next<Record<string, number>>();
        assert.equal(before! + after!, input.length);
      },
    );
  });

  test('a full disk is an error of each write, and nothing else', () =>
    program.play('full', [{ stdout: '/dev/full' }], {}, async (probe) => {
      const noSpace = { code: 'ENOSPC', syscall: 'write' };
      const { errors, called, writable } = await probe.next<{
        errors: WriteError[];
        called: WriteError[];
        writable: boolean;
      }>();
      assert.deepEqual(called, [noSpace, noSpace, noSpace]);
      assert.deepEqual(errors.at(-1), noSpace);
      assert.ok(writable);
    }));

  test('the last words of a daemon are in its logs', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out');
      const err = join(folder, 'err');
      for (const pty of [false, true]) {
        const scenario = [{ stdout: out, stderr: err }];
        await program.play('exit', scenario, { pty }, () => {});
      }
      assert.equal(readFileSync(out, 'utf8'), 'exit\nstdout\n'.repeat(2));
      assert.equal(readFileSync(err, 'utf8'), 'stderr\n'.repeat(2));
    }));

  test('an error that nobody catches is in the log, with its stack', () =>
    withFolder((folder) => {
      const stderr = join(folder, 'err');
      return program.watch(
        'uncaught',
        [{ stderr }],
        {},
        async ({ probe, launched }) => {
          const launch = await launched;
          assert.equal(launch.status, 0);
          assert.equal(launch.stderr, 'before\n');
          await probe.gone();
          const log = readFileSync(stderr, 'utf8');
          assert.match(log, /^Error: nobody catches this\n {4}at /m);
        },
      );
    }));

  for (const used of [false, true]) {
    test(`standard streams that were closed at the start and ${used ? '' : 'not '}used before are open in the daemon`, () =>
      withFolder((folder) => {
        const out = join(folder, 'out');
        const err = join(folder, 'err');
        const input = join(folder, 'input');
        writeFileSync(input, 'input');
        return program.play(
          used ? 'exit' : 'late',
          [{ stdin: input, stdout: out, stderr: err }],
          { through: ['sh', '-c', 'exec "$0" "$@" <&- >&- 2>&-'] },
          async (probe) => {
            const report = await probe.next();
            await probe.end();
            assert.ok(existsSync(err));
            if (used) {
              assert.equal(readFileSync(out, 'utf8'), 'exit\nstdout\n');
              assert.equal(readFileSync(err, 'utf8'), 'stderr\n');
            } else {
              assert.deepEqual(report, { input: 'input', isTTY: [null, null] });
              assert.equal(readFileSync(out, 'utf8'), 'out\n');
              assert.equal(readFileSync(err, 'utf8'), 'err\n');
            }
          },
        );
      }));
  }
});
