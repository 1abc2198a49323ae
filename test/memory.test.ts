import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';

/** kB, as the kernel counts them. */
interface Memory {
  /** All pages that are mapped: also those of the executable. */
  rss: number;
  /** What is the process's own: its heaps and stacks. */
  anonymous: number;
}

const kinds = ['foreground', 'daemon'] as const;
const rounds = 5;

/**
 * How much more a daemon may have of its own: pages of V8's heap, which come by
 * 256 kB, and what daemonize() itself has left, which the other has not called.
 * Over 7 runs of this test the medians differed by -0.4 to +0.8 % of 65 MB,
 * and the samples of one kind by up to 1.8 %.
 */
const noise = 0.02;

// Over how many of malloc's arenas the threads spread is a matter of luck, and
// of 10 %.
const env = { MALLOC_ARENA_MAX: '1' };

for (const node of nodes) {
  test(`a daemon has no more memory than the same program in the foreground, Node.js ${node.version}`, async (t) => {
    const program = new Program(node, 'program.cjs', 'memory');
    const samples: Record<(typeof kinds)[number], Memory[]> = {
      foreground: [],
      daemon: [],
    };
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds)
        samples[kind].push(await measure(program, kind));
    const foreground = medians(samples.foreground);
    const daemon = medians(samples.daemon);
    t.diagnostic(JSON.stringify({ foreground, daemon }));
    // The kernel's fork leaves out the pages of files that can be read again.
    assert.ok(daemon.rss <= foreground.rss, 'resident');
    assert.ok(daemon.anonymous <= foreground.anonymous * (1 + noise), 'own');
  });
}

/** Once the program has settled, and the launching process has left. */
function measure(program: Program, kind: string): Promise<Memory> {
  return program.watch(kind, [], { env }, async ({ probe, launched }) => {
    const { pid } = await probe.next();
    if (kind === 'daemon') assert.equal((await launched).status, 0);
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const field = (name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)![1]);
    return { rss: field('Rss'), anonymous: field('Anonymous') };
  });
}

function medians(samples: readonly Memory[]): Memory {
  return {
    rss: median(samples.map(({ rss }) => rss)),
    anonymous: median(samples.map(({ anonymous }) => anonymous)),
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}
