import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, playProgram, withLogPlace } from './helpers/log-server';
import { nodes } from './helpers/nodes';
import { needsRoot, until } from './helpers/scenario';

const fixture = join(__dirname, 'fixtures/syslog-stream.cjs');

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, line) => `line ${from + line}`);

async function play(...args: (string | number)[]): Promise<number> {
  const played = await playProgram(nodes[0].path, fixture, ...args);
  assert.equal(played.status, 0, played.stderr);
  return Number(played.stdout);
}

test('what is queued or unread at a fork() is sent once, by the parent; the child has a pid of its own', () =>
  withLogPlace(async (place) => {
    await place.listen();
    const [forks, lines] = [20, 300];
    const pid = await play('forks', place.path, forks, lines);
    await until(
      'all messages',
      () => place.messages.length >= forks * (lines + 1),
    );
    const messages = place.messages.map(parse);
    const own = `clock[${pid}]`;
    assert.deepEqual(
      messages.filter(({ tag }) => tag === own).map(({ text }) => text),
      numbered(0, forks * lines),
    );
    const children = messages.filter(({ tag }) => tag !== own);
    assert.equal(children.length, forks);
    for (const { tag, text } of children)
      assert.equal(tag, `clock[${text.replace('forked ', '')}]`);
  }));

for (const stopped of [false, true])
  test(
    `below another root parent and child share a connection, and all arrives once${stopped ? ', also when the log daemon is stopped for a while' : ''}`,
    needsRoot,
    () =>
      withLogPlace(async (place) => {
        await place.listen();
        if (stopped) place.kill('SIGSTOP');
        const lines = 1000;
        const root = join(place.folder, 'root');
        mkdirSync(join(root, 'proc'), { recursive: true });
        // fork() needs /proc there.
        const mount = 'mount --bind /proc "$1/proc" && shift && exec "$@"';
        const { stdout } = spawn(
          'unshare',
          ['--mount', 'sh', '-c', mount, 'sh', root, nodes[0].path].concat([
            fixture,
            'chrooted',
            place.path,
            root,
            String(lines),
          ]),
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let said = '';
        stdout.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
        const end = once(stdout, 'close');
        await until('both', () => said.split('\n').length === 3);
        if (stopped) place.kill('SIGCONT');
        await end;
        const [, parent, child, socket] = /^(\d+) ([1-9]\d*) (\S+)$/m.exec(
          said,
        )!;
        assert.ok(said.includes(`${child} 0 ${socket}\n`), said);
        const of = (id: string) =>
          place.messages
            .map(parse)
            .filter(({ tag }) => tag === `clock[${id}]`)
            .map(({ text }) => text);
        await until('all messages', () => place.messages.length >= 3 * lines);
        assert.deepEqual(of(parent!), numbered(0, 2 * lines));
        assert.deepEqual(of(child!), numbered(lines, 2 * lines));
        assert.equal(place.messages.length, 3 * lines);
      }),
  );

for (const stopped of [false, true])
  test(`daemonize() takes what was just written along${stopped ? ', also what a stopped log daemon has not read' : ''}`, () =>
    withLogPlace(async (place) => {
      await place.listen();
      if (stopped) place.kill('SIGSTOP');
      const lines = 2000;
      const pid = await play('daemonizes', place.path, lines);
      if (stopped) place.kill('SIGCONT');
      await until('the end', () =>
        place.messages.some((message) => message.includes(': daemon ')),
      );
      const messages = place.messages.map(parse);
      const daemon = messages.at(-1)!.text.replace('daemon ', '');
      assert.notEqual(Number(daemon), pid);
      const of = (id: number | string) =>
        messages
          .filter(({ tag }) => tag === `clock[${id}]`)
          .map(({ text }) => text);
      assert.deepEqual(of(pid), numbered(0, lines / 2));
      assert.deepEqual(of(daemon), [
        ...numbered(lines / 2, lines),
        `daemon ${daemon}`,
      ]);
    }));
