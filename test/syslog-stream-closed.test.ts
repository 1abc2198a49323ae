import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createSyslogStream, dup2 } from '../src/index';
import { playProgram, textsOf, withLogPlace } from './helpers/log-server';
import { nodes } from './helpers/nodes';
import { until } from './helpers/scenario';

const [node] = nodes;
const fixture = join(__dirname, 'fixtures/syslog-stream.cjs');
const numbered = (lines: number): string[] =>
  Array.from({ length: lines }, (_, line) => `line ${line}`);

for (const kind of ['file', 'socket', 'epoll'])
  for (const stopped of [false, true])
    test(`a program closes all descriptors${stopped ? ' while the log daemon is stopped' : ''}: all messages arrive, and the ${kind} that gets the numbers is left alone`, () =>
      withLogPlace(async (place) => {
        await place.listen();
        if (stopped) place.kill('SIGSTOP');
        const lines = 1000;
        const child = spawn(
          node.path,
          [fixture, 'closed', place.path, kind, place.folder, String(lines)],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        const said = createInterface(child.stdout)[Symbol.asyncIterator]();
        const next = async (): Promise<string> =>
          String((await said.next()).value);
        assert.equal(await next(), 'closed');
        if (stopped) place.kill('SIGCONT');
        assert.deepEqual(JSON.parse(await next()), {
          own: 2, // the socket, and what tells that it is read
          sent: true,
          kept: true,
          victim: 'untouched',
        });
        await once(child, 'close');
        const last = await place.messagesTo(`line ${lines - 1}`);
        assert.deepEqual(textsOf(last), numbered(lines));
      }));

test("closefrom() leaves a stream's descriptors, and closes the others", () =>
  withLogPlace(async (place) => {
    await place.listen();
    const played = await playProgram(
      node.path,
      fixture,
      'closefrom',
      place.path,
      100,
    );
    assert.deepEqual(
      JSON.parse(played.stdout),
      { own: 2, kept: true, other: 'closed', sent: true },
      played.stderr,
    );
    assert.deepEqual(textsOf(await place.messagesTo('line 99')), numbered(100));
  }));

test('a file that gets the number of a closed fallback file is left alone', () =>
  withLogPlace(async (place) => {
    const fallback = join(place.folder, 'fallback');
    const stream = createSyslogStream({
      path: place.path,
      fallback,
      fallbackAfter: 0,
    });
    stream.send('info', 'one');
    await until('the file', () => stream.stats().fallback === 1);
    const fd = Number(
      readdirSync('/proc/self/fd').find(
        (name) => linkOf(`/proc/self/fd/${name}`) === fallback,
      ),
    );
    closeSync(fd);
    const other = join(place.folder, 'other');
    const opened = openSync(other, 'a');
    dup2(opened, fd);
    stream.send('info', 'two');
    await until('the end of the second', () => stream.stats().dropped > 0);
    stream.destroy();
    assert.equal(readFileSync(other, 'utf8'), '');
    assert.match(readFileSync(fallback, 'utf8'), /^.*: one\n$/);
    for (const one of new Set([fd, opened])) closeSync(one);
  }));

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // the folder's own, which is closed by now
  }
}
