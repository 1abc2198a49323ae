import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusOf } from '../src/control';
import { close } from '../src/posix/descriptors';
import { pidfdOpen, waitReadable } from '../src/posix/pidfd';
import { shut } from './helpers/gates';
import { firstLine, play, startScenario, withPath } from './helpers/pidfile';

/** ms for hundreds of starts, on a machine under load */
const timeout = 240_000;

/** What one start comes to, in the words of who takes part in it. */
interface Outcome {
  /** Of the launching process. */
  status: number;
  /** The daemon. */
  started?: number;
  /** What the launching process said, and whom it named. */
  code?: string;
  pid?: number;
}

test(
  'of 20 daemons that start at the same moment one lives, and the others name it, 50 times',
  { timeout },
  () =>
    withPath(async (path) => {
      const rounds = 50;
      const gates = Array.from({ length: rounds }, (_, round) => ({
        begin: shut(`${path}.${round}.begin`),
        end: shut(`${path}.${round}.end`),
      }));
      const starters = Array.from({ length: 20 }, () =>
        startScenario(['start with others', path, String(rounds)], { timeout }),
      );
      try {
        for (const { begin, end } of gates) {
          for (const { probe } of starters)
            assert.equal(await probe.next(), 'ready');
          close(begin);
          const outcomes = await Promise.all(
            starters.map(async ({ probe }) => {
              const one = await probe.next<Partial<Outcome>>();
              const other = await probe.next<Partial<Outcome>>();
              return { ...one, ...other } as Outcome;
            }),
          );
          const up = outcomes.filter(({ started }) => started !== undefined);
          assert.equal(up.length, 1, JSON.stringify(outcomes));
          const [{ started, status }] = up as [Required<Outcome>];
          assert.equal(status, 0);
          assert.equal(firstLine(path), `${started}\n`);
          const { state, ready, pid } = statusOf(path);
          assert.deepEqual([state, ready, pid], ['running', true, started]);
          for (const outcome of outcomes.filter((one) => !up.includes(one)))
            assert.deepEqual(outcome, {
              status: 1,
              code: 'ERR_DAEMON_ALREADY_RUNNING',
              pid: started,
            });
          await kill(started);
          assert.ok(existsSync(path));
          assert.equal(statusOf(path).state, 'stale');
          close(end);
        }
      } finally {
        for (const { process } of starters) process.kill('SIGKILL');
        await Promise.all(starters.map(({ probe }) => probe.end()));
      }
    }),
);

test(
  'once a start has ended with 0 the file has the pid of the daemon, 1,000 times',
  { timeout },
  () =>
    withPath(async (_, folder) => {
      const times = 250;
      const start = (name: string) =>
        play(
          ['start many', join(folder, name), String(times)],
          async ({ probe }) => {
            for (let count = 10; count <= times; count += 10)
              assert.equal(await probe.next(), count);
          },
          { timeout },
        );
      await Promise.all(['a', 'b', 'c', 'd'].map(start));
    }),
);

async function kill(pid: number): Promise<void> {
  const pidfd = pidfdOpen(pid);
  process.kill(pid, 'SIGKILL');
  await waitReadable(pidfd, Infinity);
  close(pidfd);
}
