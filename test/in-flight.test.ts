import assert from 'node:assert/strict';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { start } from './helpers/launch';
import { nodes, type TestNode } from './helpers/nodes';

const ROUNDS = 50;
const CHILDREN = 4;
/** ms until each of the processes has served a request */
const DEADLINE = 30_000;

interface Result {
  pid: number;
  counts: Record<string, number>;
  wrong: string[];
}

interface Twin extends Result {
  port: number;
  uuid: string;
  works: boolean;
  children?: number[];
}

function request(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      text(response).then(resolve, reject);
    }).on('error', reject);
  });
}

/** Everything that was begun came back once, and right. */
function assertDone({ counts, wrong }: Result): void {
  assert.ok(Object.keys(counts).length >= 22);
  assert.deepEqual(
    Object.entries(counts).filter(([, count]) => count !== 1),
    [],
  );
  assert.deepEqual(wrong, []);
}

async function becomeDaemonWhileBusy(node: TestNode): Promise<void> {
  const { probe, launched } = start(node, 'program.cjs', [
    'in-flight',
    'daemon',
    '[]',
  ]);
  try {
    const { port, pid } = await probe.next<{ port: number; pid: number }>();
    const answer = await request(port);
    const result = await probe.next<Result>();
    assertDone(result);
    assert.equal(answer, `served by ${result.pid}\n`);
    assert.notEqual(result.pid, pid);
    const { status, stderr } = await launched;
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  } finally {
    await probe.end();
  }
}

/** Every request is answered; each process gets one sooner or later. */
async function serveByAll(port: number, pids: number[]): Promise<void> {
  const missing = new Set(pids);
  for (const end = Date.now() + DEADLINE; missing.size > 0;) {
    assert.ok(Date.now() < end, `${[...missing].join()} served nobody`);
    const answers = Array.from({ length: 20 }, () => request(port));
    for (const answer of await Promise.all(answers)) {
      assert.ok(pids.includes(Number(answer)), answer);
      missing.delete(Number(answer));
    }
  }
}

for (const node of nodes) {
  describe(`Node.js ${node.version}`, () => {
    test(`${ROUNDS} times, all that is under way is done once, in the daemon`, async () => {
      const rounds = Array.from({ length: ROUNDS }).keys();
      const runner = async (): Promise<void> => {
        for (const round of rounds) {
          await becomeDaemonWhileBusy(node).catch((cause: unknown) => {
            throw new Error(`round ${round}`, { cause });
          });
        }
      };
      // Two at a time, on one iterator.
      await Promise.all([runner(), runner()]);
    });

    test('after a fork, what was under way is done once in each process, and all serve', async () => {
      const args = ['in-flight', 'twins', JSON.stringify([CHILDREN])];
      const { probe } = start(node, 'program.cjs', args);
      try {
        const twins: Twin[] = [];
        while (twins.length < CHILDREN + 1) twins.push(await probe.next());
        twins.forEach(assertDone);
        assert.ok(twins.every(({ works }) => works));
        const pids = twins.map(({ pid }) => pid);
        const parent = twins.find(({ children }) => children)!;
        assert.deepEqual(
          [parent.pid, ...parent.children!].sort(),
          [...pids].sort(),
        );
        assert.equal(new Set(twins.map(({ uuid }) => uuid)).size, twins.length);
        await serveByAll(parent.port, pids);
      } finally {
        await probe.end();
      }
    });
  });
}
