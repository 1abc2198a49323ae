// What every measurement needs: programs run one at a time, and their medians.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Without the names that change Node itself: NODE_EXTRA_CA_CERTS alone adds
 * 60 ms to a start of Node 20.
 */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')),
);

/** The path of a file of bench/programs/. */
export function program(name) {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

/** What a program prints, once everybody has closed its standard output. */
export function output(file, args) {
  return execFileSync(file, args, {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/**
 * Every row once, and again, so that whatever else the machine does falls on
 * all of them. The first round warms the caches and does not count.
 * @returns {Promise<Map<string, object[]>>} the samples by the row's name
 */
export async function interleave(rounds, rows, sample) {
  const samples = new Map(rows.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const row of rows) {
      const result = await sample(row);
      if (round > 0) samples.get(row.name).push(result);
    }
  return samples;
}

/** @returns the median, the least, the most, and where the middle half lies */
export function summarize(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return round(low + (high - low) * (place % 1));
  };
  return {
    median: at(0.5),
    min: at(0),
    max: at(1),
    quartiles: [at(0.25), at(0.75)],
  };
}

/** Four significant digits. */
export function round(number) {
  return Number(number.toPrecision(4));
}
