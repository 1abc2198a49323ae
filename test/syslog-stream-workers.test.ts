import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { playProgram, textsOf, withLogPlace } from './helpers/log-server';
import { nodes } from './helpers/nodes';

const fixture = join(__dirname, 'fixtures/syslog-stream-worker.cjs');
const lines = 2000;
const all = Array.from({ length: lines }, (_, line) => `line ${line}`);
// A signal kills a Worker before it can say what it holds.
const held = 'without a newline';

for (const node of nodes)
  for (const loads of ['main', 'worker'] as const)
    for (const [how, status, signal] of [
      ['natural', 0, null],
      ['exit', 3, null],
      ['exit in the Worker', 0, null],
      ['throw', 1, null],
      ['terminate', 0, null],
      ['SIGTERM', null, 'SIGTERM'],
    ] as const) {
      // Nobody is there who could listen to it.
      if (loads === 'worker' && how === 'SIGTERM') continue;
      if (node !== nodes[0] && how !== 'SIGTERM' && how !== 'natural') continue;
      const where = loads === 'main' ? 'in both threads' : 'there only';
      test(`Node.js ${node.version}: what a Worker, with the package loaded ${where}, queued at an end by '${how}' is sent`, () =>
        withLogPlace(async (place) => {
          await place.listen();
          const args = [fixture, place.path, how, lines, loads];
          const ended = await playProgram(node.path, ...args);
          assert.deepEqual(
            [ended.status, ended.signal],
            [status, signal],
            ended.stderr,
          );
          const expected = how === 'SIGTERM' ? all : [...all, held];
          await place.messagesTo(expected.at(-1)!);
          assert.deepEqual(textsOf(place.messages), expected);
        }));
    }
