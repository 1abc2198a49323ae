import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import {
  ask,
  freePort,
  needsInetd,
  needsXinetd,
  startInetd,
  startXinetd,
} from './helpers/inetd';
import { type Told, withLauncher } from './helpers/launchers';

interface Answer extends Told {
  said: string;
}

/** What daemonize() is not to change: all but a few things. */
function unchanged(report: Answer | Told['before']): object {
  const { pid, ppid, pgid, sid, tty, uids, gids, groups } = report;
  const { root, ignored, sigmask, title, fds } = report;
  const process = { pid, ppid, pgid, sid, tty, uids, gids, groups };
  return { ...process, root, ignored, sigmask, title, fds };
}

function expectServed(answer: Answer): void {
  assert.equal(answer.said, 'hello');
  assert.deepEqual([answer.launcher, answer.detached], ['inetd', false]);
  assert.deepEqual([answer.cwd, answer.umask], ['/', 0]);
  assert.notEqual(answer.before.umask, 0);
  const [input, output] = [answer.fds[0]!, answer.fds[1]!];
  assert.match(input, /^socket:/);
  assert.equal(output, input);
}

for (const [name, needs, start, nowait, wait] of [
  [
    'openbsd-inetd',
    needsInetd,
    startInetd,
    'stream tcp nowait',
    'stream tcp wait',
  ],
  ['xinetd', needsXinetd, startXinetd, 'wait = no', 'wait = yes'],
] as const) {
  describe(name, () => {
    withLauncher(
      'a connection is served on 0 and 1: only chdir() and umask() happen',
      needs,
      async (reporter) => {
        const port = await freePort();
        const command = reporter.command('service', '{}', 'connection');
        start(reporter, port, nowait, command);
        const text = await ask(port, 'hello');
        assert.ok(text.startsWith('an error\n'), text); // 2 is the client too
        const answer = JSON.parse(text.slice(text.indexOf('{'))) as Answer;
        expectServed(answer);
        assert.equal(answer.fds[2], answer.fds[0]);
        assert.deepEqual(unchanged(answer), unchanged(answer.before));
      },
    );

    withLauncher(
      'stdin and stdout stay with the client, stderr goes to a log',
      needs,
      async (reporter) => {
        const port = await freePort();
        const stderr = join(reporter.folder, 'log');
        const options = JSON.stringify({
          stdin: '/dev/zero',
          stdout: 'null',
          stderr,
        });
        start(
          reporter,
          port,
          nowait,
          reporter.command('service', options, 'connection'),
        );
        const answer = JSON.parse(await ask(port, 'hello')) as Answer;
        expectServed(answer);
        assert.equal(answer.fds[2], stderr);
        assert.equal(readFileSync(stderr, 'utf8'), 'an error\n');
        // Several at a time, in one log.
        await Promise.all([ask(port, 'hello'), ask(port, 'hello')]);
        const log = readFileSync(stderr, 'utf8');
        assert.equal(log, 'an error\n'.repeat(3));
      },
    );

    withLauncher(
      'a socket that listens can be listened on, and goes back',
      needs,
      async (reporter) => {
        const port = await freePort();
        const command = reporter.command('service', '{}', 'listener');
        start(reporter, port, wait, command);
        const pids: number[] = [];
        for (let count = 0; count < 2; count++) {
          const answer = JSON.parse(await ask(port, 'hello')) as Answer;
          expectServed(answer);
          pids.push(answer.pid);
        }
        assert.notEqual(pids[0], pids[1], 'each ended, and one came after it');
      },
    );
  });
}
