// Where the fork lacks something, it fails, and the next one may do.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertDaemon, type Survived, survive } from './helpers/faults';
import { needsCompiler, Preload } from './helpers/preload';
import { forEachProgram } from './helpers/programs';
import { needsRoot } from './helpers/scenario';

/** Of nobody else, so that a user's processes can be counted. */
const firstUid = 1_000_000 + process.pid * 100;

let number = 0;
let preload: Preload | undefined;

if (!needsCompiler.skip) preload = new Preload('faults');
after(() => preload?.remove());

forEachProgram('faults', (program) => {
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
    const { error } = await survive(program, 'no signals');
    assert.deepEqual(
      [error.name, error.code, error.syscall, error.step],
      ['PosixError', 'EAGAIN', 'tgkill', 'fork'],
    );
  });

  test('without memory it fails with ENOMEM', async () => {
    const { error } = await survive(program, 'memory limit');
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
        const { error, daemon } = await survive(
          program,
          'deaf thread',
          [call, fifo],
          {
            through,
          },
        );
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
});
