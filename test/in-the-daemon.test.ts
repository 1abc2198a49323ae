import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checks } from './fixtures/in-the-daemon.cjs';
import type { Probe } from './helpers/launch';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

/** How an orphan ended, as reaper.py says it. */
interface End {
  orphan: number;
  status?: number;
  signal?: number;
}

interface Result {
  name: string;
  ok: boolean;
  error?: string;
}

interface Event {
  event: string;
  value?: unknown;
}

interface Life {
  pid: number;
  events: Event[];
  end: End | undefined;
  log: string;
}

interface Daemon {
  pid: number;
}

forEachProgram('in-the-daemon', (program) => {
  test('everything works in the daemon', (t) =>
    withFolder((folder) => {
      const log = join(folder, 'stderr');
      return program.play(
        'works',
        [folder, log],
        {
          execArgv: ['--allow-natives-syntax', '--expose-gc'],
          reaper: true,
        },
        async (probe, { status, stdout, stderr }) => {
          assert.deepEqual(
            { status, stdout, stderr },
            { status: 0, stdout: '', stderr: '' },
          );
          const { pid } = await nextOf<Daemon>(probe);
          for (const expected of Object.keys(checks)) {
            await t.test(expected, async () => {
              const { name, ok, error } = await nextOf<Result>(probe, pid, log);
              assert.equal(name, expected);
              assert.ok(ok, error);
            });
          }
        },
      );
    }));

  test('signals reach the handlers registered before and after', () => {
    const before = [
      'SIGHUP',
      'SIGTERM',
      'SIGINT',
      'SIGUSR2',
      'SIGCONT',
    ] as const;
    const after = ['SIGWINCH', 'SIGQUIT'] as const;
    return program.play('signals', [before, after], {}, async (probe) => {
      const { pid } = await probe.next<Daemon>();
      for (const [names, since] of [
        [before, 'before'],
        [after, 'in the daemon'],
        [before, 'before'],
      ] as const) {
        for (const name of names) {
          process.kill(pid, name);
          const number = constants.signals[name];
          assert.deepEqual(await probe.next(), { since, name, number, pid });
        }
      }
    });
  });

  /** Plays the whole life of a daemon that ends by itself. */
  function live(
    scenario: string,
    args: unknown[] = [],
    use: (pid: number) => void = () => {},
  ): Promise<Life> {
    return withFolder((folder) => {
      const log = join(folder, 'stderr');
      return program.play(
        scenario,
        [{ stderr: log }, ...args],
        { reaper: true },
        async (probe, { status, stderr }) => {
          assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
          const { pid } = await nextOf<Daemon>(probe);
          use(pid);
          const reports = await probe.gone<Event | End>();
          const ends = reports.filter((report) => 'orphan' in report);
          const events = reports.filter((report) => 'event' in report);
          const end = ends.find(({ orphan }) => orphan === pid);
          return { pid, events, end, log: readFileSync(log, 'utf8') };
        },
      );
    });
  }

  for (const scenario of ['exit', 'exit by a timer of before']) {
    test(`process.exit runs the exit handlers and gives the code: ${scenario}`, async () => {
      const { pid, events, end, log } = await live(scenario, [7]);
      const first = { event: 'exit', value: 7 };
      const second = { event: 'second exit', value: 7 };
      assert.deepEqual(events, scenario === 'exit' ? [first, second] : [first]);
      assert.deepEqual(
        { end, log },
        { end: { orphan: pid, status: 7 }, log: '' },
      );
    });
  }

  for (const code of [0, 5]) {
    test(`the daemon ends with exitCode ${code} when nothing is left to do`, async () => {
      const { pid, events, end, log } = await live('nothing left', [code]);
      assert.deepEqual(events, [
        { event: 'timer' },
        { event: 'beforeExit', value: code },
        { event: 'exit', value: code },
      ]);
      assert.deepEqual(
        { end, log },
        { end: { orphan: pid, status: code }, log: '' },
      );
    });
  }

  for (const [scenario, message] of [
    ['uncaught exception', 'TypeError: thrown in the daemon'],
    [
      'uncaught exception by a timer of before',
      'TypeError: thrown in the daemon',
    ],
    ['unhandled rejection', 'RangeError: rejected in it'],
  ] as const) {
    test(`the daemon ends with 1 and its message in the log: ${scenario}`, async () => {
      const { pid, events, end, log } = await live(scenario);
      assert.deepEqual(events, [{ event: 'exit', value: 1 }]);
      assert.deepEqual(end, { orphan: pid, status: 1 });
      assert.ok(log.includes(`\n${message}\n    at `), log);
      assert.ok(log.endsWith(`\n\nNode.js v${program.node.version}\n`), log);
    });
  }

  test('handlers of uncaught exceptions and rejections registered before are called', async () => {
    const { pid, events, end, log } = await live('handled exception');
    assert.deepEqual(events, [
      { event: 'uncaughtException', value: 'first' },
      { event: 'unhandledRejection', value: 'second' },
      { event: 'exit', value: 0 },
    ]);
    assert.deepEqual(
      { end, log },
      { end: { orphan: pid, status: 0 }, log: '' },
    );
  });

  test('process.abort ends the daemon by SIGABRT', async () => {
    const { pid, end } = await live('abort');
    assert.deepEqual(end, { orphan: pid, signal: constants.signals.SIGABRT });
  });

  test('SIGTERM without a handler ends the daemon with status 0', async () => {
    const { pid, end, log } = await live('until a signal', [], (pid) =>
      process.kill(pid, 'SIGTERM'),
    );
    assert.deepEqual(
      { end, log },
      { end: { orphan: pid, status: 0 }, log: '' },
    );
  });

  for (const name of ['SIGHUP', 'SIGKILL'] as const) {
    test(`${name} without a handler ends the daemon`, async () => {
      const { pid, end, log } = await live('until a signal', [], (pid) =>
        process.kill(pid, name),
      );
      assert.deepEqual(
        { end, log },
        { end: { orphan: pid, signal: constants.signals[name] }, log: '' },
      );
    });
  }
});

/** The next report, past the ends of processes other than the daemon. */
async function nextOf<T extends object>(
  probe: Probe,
  daemon?: number,
  log?: string,
): Promise<T> {
  for (;;) {
    const report = await probe.next<T | End>();
    if (!('orphan' in report)) return report;
    if (report.orphan === daemon)
      assert.fail(`${JSON.stringify(report)} ${readFileSync(log!, 'utf8')}`);
  }
}
