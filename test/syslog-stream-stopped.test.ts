import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { SyslogStats } from '../src/index';
import { withLogPlace } from './helpers/log-server';
import { nodes } from './helpers/nodes';
import { until } from './helpers/scenario';

const needsRsyslogd = {
  skip: spawnSync('rsyslogd', ['-v']).error !== undefined && 'install rsyslog',
};
const fixture = join(__dirname, 'fixtures/syslog-stream.cjs');
const bound = 1 << 20;

interface Told {
  written: number;
  largest: number;
  delay: number;
  beside: number;
  grown: number;
  dropped: number;
}

test(
  'rsyslogd stopped for 10 s under 10,000 messages a second: memory is bounded, the count of what is dropped exact, the rest in order',
  needsRsyslogd,
  (t) =>
    withLogPlace(async (place) => {
      await place.startRsyslogd();
      place.kill('SIGSTOP');
      const child = spawn(
        nodes[0].path,
        [fixture, 'stopped', place.path, '3000', '10000'],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      const lines = createInterface(child.stdout);
      const next = async <T>(): Promise<T> => {
        const [line] = (await once(lines, 'line')) as [string];
        return JSON.parse(line) as T;
      };
      const told = await next<Told>();
      t.diagnostic(
        `largest event-loop delay ${told.delay.toFixed(1)} ms, without logging ${told.beside.toFixed(1)} ms; ` +
          `${told.written} messages, ${told.dropped} dropped; resident memory grew by ${(told.grown / 2 ** 20).toFixed(1)} MiB`,
      );
      assert.ok(told.written > 90_000);
      assert.ok(told.largest <= bound);
      assert.ok(told.dropped > 0);

      place.kill('SIGCONT');
      child.stdin.end('go on');
      const stats = await next<SyslogStats>();
      await once(child, 'close');
      assert.equal(stats.sent + stats.dropped, told.written);
      assert.equal(stats.dropped, told.dropped);
      await until('all entries', () => place.written().length > stats.sent);

      const texts = place.written().map((line) => line.split(']: ')[1]!);
      const notices = texts.filter((text) => text.startsWith('posix-'));
      const counts = notices.map((text) => Number(/\d+/.exec(text)![0]));
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        stats.dropped,
      );
      const numbers = texts
        .filter((text) => text.startsWith('line '))
        .map((text) => Number(text.split(' ')[1]));
      assert.equal(numbers.length, stats.sent);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
      );
      assert.equal(numbers.at(-1), told.written - 1);
    }),
);
