import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodes } from './helpers/nodes';
import {
  type Played,
  playProgram,
  textsOf,
  withLogPlace,
} from './helpers/log-server';
import { until } from './helpers/scenario';

const fixture = join(__dirname, 'fixtures/syslog-stream.cjs');
const lines = 2000;
const all = Array.from({ length: lines }, (_, line) => `line ${line}`);

/** The end of a program that logs to a log daemon at `path`. */
function end(path: string, how: string, node = nodes[0]): Promise<Played> {
  return playProgram(node.path, fixture, 'ends', path, how, lines);
}

for (const node of nodes)
  for (const [how, status, signal, last] of [
    ['natural', 0, null, []],
    ['exit', 3, null, []],
    ['throw', 1, null, []],
    ['finish', 0, null, ['finished']],
    ['SIGTERM', null, 'SIGTERM', []],
    ['SIGINT', null, 'SIGINT', []],
    ['SIGHUP', null, 'SIGHUP', []],
    ['listened', 4, null, ['heard']],
    ['destroyed', null, 'SIGTERM', []],
  ] as const) {
    if (node !== nodes[0] && how !== 'SIGTERM' && how !== 'throw') continue;
    test(`Node.js ${node.version}: what is queued at an end by '${how}' is sent, and the status is as ever`, () =>
      withLogPlace(async (place) => {
        await place.listen();
        const ended = await end(place.path, how, node);
        assert.deepEqual([ended.status, ended.signal], [status, signal]);
        await until('all', () => {
          const { length } = place.messages;
          return length >= all.length + last.length + 1;
        });
        const rest = ['without a newline', ...last];
        assert.deepEqual(textsOf(place.messages).slice(0, all.length), all);
        assert.deepEqual(
          textsOf(place.messages).slice(all.length).sort(),
          rest.sort(),
        );
        assert.equal(
          ended.stderr.includes('nobody catches this'),
          how === 'throw',
        );
      }));
  }

for (const how of ['exit', 'SIGTERM'])
  test(`an end by '${how}' does not wait for ever for a log daemon that is stopped`, () =>
    withLogPlace(async (place) => {
      await place.listen();
      place.kill('SIGSTOP');
      const ended = await end(place.path, how);
      assert.notDeepEqual([ended.status, ended.signal], [null, 'SIGKILL']);
      place.kill('SIGCONT');
      await until('the first', () => place.messages.length > 9);
      assert.deepEqual(textsOf(place.messages).slice(0, 9), all.slice(0, 9));
    }));
