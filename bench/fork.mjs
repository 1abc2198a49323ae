// What fork() costs at each size of the heap, beside a C program that forks
// twice with the same memory touched.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interleave, output, program, round, summarize } from './sample.mjs';

const rows = [
  { name: '40 MB', kind: 'objects', megabytes: 40 },
  { name: '140 MB', kind: 'objects', megabytes: 140 },
  { name: '400 MB', kind: 'objects', megabytes: 400 },
  { name: '1200 MB', kind: 'objects', megabytes: 1200 },
  { name: '400 MB of Buffers', kind: 'buffers', megabytes: 400 },
];

export async function measureFork(rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-fork-'));
  const inC = join(folder, 'double-fork');
  const source = fileURLToPath(new URL('double-fork.c', import.meta.url));
  try {
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', inC, source]);
    const samples = await interleave(rounds, rows, (row) => {
      const pair = become('pair', row);
      const daemonize = become('daemonize', row);
      return { pair, daemonize, c: Number(output(inC, [String(pair.rss)])) };
    });
    return rows.map(({ name }) => ({ name, ...tabulate(samples.get(name)) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function become(how, { kind, megabytes }) {
  const args = [program('heap.cjs'), how, kind, String(megabytes)];
  return JSON.parse(
    output(process.execPath, ['--max-old-space-size=4096', ...args]),
  );
}

function tabulate(samples) {
  const c = summarize(samples.map((sample) => sample.c));
  const ours = (how) => {
    const results = samples.map((sample) => sample[how]);
    const total = summarize(results.map(({ ms }) => ms));
    return {
      ...total,
      ratio: round(total.median / c.median),
      ...medianSteps(results),
    };
  };
  const rss = summarize(samples.map(({ pair }) => pair.rss / 1e6)).median;
  return { rss, c, pair: ours('pair'), daemonize: ours('daemonize') };
}

/** Medians of each step of each fork, and of the time outside the forks. */
function medianSteps(results) {
  const forks = results[0].steps.map((steps, which) =>
    Object.fromEntries(
      Object.keys(steps).map((step) => [
        step,
        summarize(results.map((result) => result.steps[which][step])).median,
      ]),
    ),
  );
  const rest = results.map(
    ({ ms, steps }) => ms - sum(steps.flatMap(Object.values)),
  );
  return { forks, rest: summarize(rest).median };
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
