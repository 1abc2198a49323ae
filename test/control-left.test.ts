// Who is not the daemon any more is not taken for it, whatever the file says.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  reloadDaemon,
  signalDaemon,
  statusOf,
  stopDaemon,
} from '../src/control';
import { Pidfile } from '../src/pidfile';
import { close } from '../src/posix/descriptors';
import { identify } from '../src/process-identity';
import { alive, assertNobody, boot, notRunning } from './helpers/control';
import { shut } from './helpers/gates';
import { hold, withProgram } from './helpers/held';
import { alreadyRunning, play, text, told, withPath } from './helpers/pidfile';
import { needsRoot } from './helpers/scenario';

const otherBoot = '00000000-0000-4000-8000-000000000000';
const start = identify(process.pid)!.start;

test('without a PID file the daemon is stopped', () =>
  withPath(async (path, folder) => {
    for (const missing of [path, join(folder, 'no/such/x.pid')]) {
      assert.deepEqual(statusOf(missing), { state: 'stopped' });
      await assertNobody(missing);
    }
  }));

for (const [what, content] of [
  ['empty', ''],
  ['blank, as before write()', '\n'.repeat(512)],
  ['garbage', 'garbage'],
  ['binary', '\0\xff'.repeat(1000)],
  ['a negative pid', '-1\n'],
  ['pid 0', '0\n'],
  ['a pid of nobody', '4194303\n'],
  ['a live pid alone', `${process.pid}\n`],
  [
    'a live pid that had the lock',
    `${process.pid}\nstart=${start} boot=${boot}\n`,
  ],
  [
    'a live pid that is another process by now',
    `${process.pid}\nstart=${start - 1} boot=${boot} lock=none\n`,
  ],
  [
    'our pid from before a reboot',
    `${process.pid}\nstart=${start} boot=${otherBoot} lock=none\n`,
  ],
  ['a live pid without a start time', `${process.pid}\nlock=none\n`],
  ['pid 0 with an identity', `0\nstart=${start} boot=${boot} lock=none\n`],
] as const)
  test(`nobody is taken for the daemon, and a start takes the file over: ${what}`, () =>
    withPath(async (path) => {
      writeFileSync(path, content, 'latin1');
      assert.deepEqual(statusOf(path), { state: 'stale' });
      assert.equal(Pidfile.holder(path), null);
      assert.throws(() => signalDaemon(path, 'SIGKILL'), notRunning(path));
      if (content.includes('start=') && !content.startsWith('0'))
        assert.ok(!existsSync(path), 'what a daemon left is removed');
      else assert.equal(readFileSync(path, 'latin1'), content);
      writeFileSync(path, content, 'latin1');
      await assertNobody(path);
      writeFileSync(path, content, 'latin1');
      const pidfile = Pidfile.open(path);
      pidfile.write();
      assert.equal(statusOf(path).pid, process.pid);
      pidfile.remove();
    }));

test('what cannot be a PID file is refused, and stays', () =>
  withPath(async (path, folder) => {
    const content = `${process.pid}\nstart=${start} boot=${boot} lock=none\n`;
    const files = ['writable', 'target'].map((name) => join(folder, name));
    for (const file of files) writeFileSync(file, content);
    chmodSync(files[0]!, 0o666);
    symlinkSync(files[1]!, path);
    const directory = join(folder, 'directory');
    mkdirSync(directory);
    for (const file of [path, directory, files[0]!]) {
      const unsafe = { code: 'ERR_DAEMON_UNSAFE_PIDFILE', path: file };
      assert.throws(() => statusOf(file), unsafe);
      assert.throws(() => signalDaemon(file, 'SIGKILL'), unsafe);
      await assert.rejects(stopDaemon(file), unsafe);
      await assert.rejects(reloadDaemon(file), unsafe);
    }
    for (const file of files) assert.equal(text(file), content);
  }));

test('a zombie holds nothing', () =>
  withPath((path, folder) => {
    const file = join(folder, 'child');
    // cat never waits for the child that it got from the shell.
    const script = `sleep 1000 & echo $! >'${file}'`;
    return withProgram(path, script, async () => {
      const other = join(folder, 'other.pid');
      const child = Number(text(file));
      hold(other, child);
      assert.deepEqual([statusOf(other).pid, alive(child)], [child, true]);
      assert.equal(await stopDaemon(other, { signal: 'SIGKILL' }), child);
      assert.match(text(`/proc/${child}/stat`), /\) Z /);
      hold(other, child);
      assert.equal(statusOf(other).state, 'stale');
      assert.equal(Pidfile.holder(other), null);
    });
  }));

test('a daemon that is just starting is neither stopped nor not running', () =>
  withPath((path) =>
    play(['be slow', path], async ({ probe }) => {
      await probe.next();
      const reason = 'it has not written its pid yet';
      assert.deepEqual(statusOf(path), { state: 'unknown', reason });
      const expected = { code: 'ERR_DAEMON_PID_UNKNOWN', path, reason };
      assert.throws(() => signalDaemon(path, 'SIGTERM'), expected);
      await assert.rejects(stopDaemon(path), expected);
    }),
  ));

test('a daemon that is just starting is stopped once its pid is known', () =>
  withPath((path) => {
    const gate = `${path}.go`;
    const go = shut(gate);
    return play(['start slowly', path, gate], async ({ probe }) => {
      const pid = await probe.next<number>();
      const stopped = stopDaemon(path);
      close(go);
      assert.equal(await stopped, pid);
      assert.ok(!existsSync(path));
    });
  }));

test('who tries to start another one keeps nobody from finding a daemon without a lock', () =>
  withPath((path) =>
    withProgram(path, '', (pid) =>
      play(['knock', path, '1000'], async ({ probe }) => {
        const seen = new Set<unknown>();
        const knocking = probe.next();
        const over = new AbortController();
        void knocking.then(() => over.abort());
        while (!over.signal.aborted) {
          for (let times = 0; times < 100; times++)
            seen.add(Pidfile.holder(path));
          await setImmediate();
        }
        assert.equal(await knocking, 'refused 1000 times');
        assert.deepEqual([...seen], [pid]);
      }),
    ),
  ));

test('a lock that a child has kept names nobody once the daemon is gone', () =>
  withPath((path) =>
    play(['leave a child', path], async ({ probe }) => {
      const { pid } = await probe.next<{ pid: number }>();
      await probe.next<string>();
      assert.equal(Pidfile.holder(path), undefined);
      const { state, reason } = statusOf(path);
      assert.equal(state, 'unknown');
      assert.match(reason!, new RegExp(`process ${pid}, which wrote the file`));
      assert.throws(() => signalDaemon(path, 'SIGKILL'), {
        code: 'ERR_DAEMON_PID_UNKNOWN',
      });
      assert.throws(() => Pidfile.open(path), alreadyRunning(path, undefined));
    }),
  ));

test('a pid that was really used again is left alone', needsRoot, () =>
  withPath(async (path) => {
    const seen = await told<Record<string, unknown>[]>(['recycle', path], {
      through: ['unshare', '--pid', '--fork', '--mount-proc'],
    });
    assert.deepEqual(seen, [
      { what: 'by identity', stop: 'ERR_DAEMON_NOT_RUNNING', alive: true },
      { what: 'by lock', stop: 'ERR_DAEMON_PID_UNKNOWN', alive: true },
      { what: 'by pid alone', stop: 'ERR_DAEMON_NOT_RUNNING', alive: true },
    ]);
  }),
);
