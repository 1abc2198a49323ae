// Who else listens to the signals that we end a process by.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { textsOf, withLogPlace } from './helpers/log-server';
import { nodes } from './helpers/nodes';

const [node] = nodes;
const fixture = join(__dirname, 'fixtures/signal-listeners.cjs');

for (const [keeper, listener, end, said] of [
  ['stream', 'none', [null, 'SIGTERM'], []],
  ['stream', 'once', [5, null], ['took its time']],
  ['stream', 'signal-exit', [null, 'SIGTERM'], ['told']],
  ['stream', 'signal-exit-3', [null, 'SIGTERM'], ['told']],
  ['daemon', 'none', [0, null], []],
  ['daemon', 'once', [5, null], ['took its time']],
  ['daemon', 'signal-exit', [0, null], ['told']],
  ['daemon', 'signal-exit-3', [0, null], ['told']],
] as const)
  test(`a ${keeper} beside the listener '${listener}' lets SIGTERM end the process as that would`, () =>
    withLogPlace(async (place) => {
      await place.listen();
      const child = spawn(node.path, [fixture, keeper, listener, place.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: 15_000,
        killSignal: 'SIGKILL',
      });
      const lines: string[] = [];
      createInterface(child.stdout).on('line', (line) => {
        if (line === 'ready') child.kill('SIGTERM');
        else lines.push(line);
      });
      assert.deepEqual(await once(child, 'close'), end);
      assert.deepEqual(lines, said);
      if (keeper === 'stream')
        assert.deepEqual(textsOf(await place.messagesTo('kept')), ['kept']);
    }));
