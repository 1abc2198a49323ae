import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  reloadDaemon,
  signalDaemon,
  statusOf,
  stopDaemon,
} from '../src/control';
import { Pidfile } from '../src/pidfile';
import { close } from '../src/posix/descriptors';
import { pidfdOpen, waitReadable } from '../src/posix/pidfd';
import { identify, recognise } from '../src/process-identity';
import { hold, withProgram } from './helpers/held';
import { alreadyRunning, play, text, told, withPath } from './helpers/pidfile';
import { asNobody, needsRoot } from './helpers/scenario';

const notRunning = (path: string) => ({
  name: 'DaemonError',
  code: 'ERR_DAEMON_NOT_RUNNING',
  path,
  message: `not running: nobody holds '${path}'`,
});

/** None of the commands finds a daemon. */
async function assertNobody(path: string): Promise<void> {
  const expected = notRunning(path);
  assert.throws(() => signalDaemon(path, 'SIGTERM'), expected);
  await assert.rejects(reloadDaemon(path), expected);
  await assert.rejects(stopDaemon(path), expected);
}

const alive = (pid: number): boolean =>
  recognise(pid, identify(pid)!) === 'alive';

const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
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

test('a program without a lock holds the file by pid, start time and boot', () =>
  withPath((path) =>
    withProgram(path, '', async (pid, program) => {
      const content = text(path);
      const { start } = identify(pid)!;
      assert.equal(content, `${pid}\nstart=${start} boot=${boot} lock=none\n`);
      assert.equal(Pidfile.holder(path), pid);
      assert.throws(() => Pidfile.open(path), alreadyRunning(path, pid));
      assert.equal(text(path), content);
      const { since, uptime, memory, cpu, ...rest } = statusOf(path);
      assert.deepEqual(rest, { state: 'running', pid, threads: 1 });
      assert.ok(uptime! >= 0 && uptime! < 600_000, `${uptime} ms`);
      const age = Date.now() - since!.getTime();
      assert.ok(age >= uptime! - 1 && age < 600_000, `${age} ms`);
      assert.ok(memory! > 100_000 && memory! < 100_000_000, `${memory} bytes`);
      assert.ok(cpu! >= 0 && cpu! < 60_000, `${cpu} ms`);

      assert.equal(signalDaemon(path, 'SIGKILL'), pid);
      await once(program, 'exit');
      assert.equal(statusOf(path).state, 'stale');
      await assertNobody(path);
      assert.ok(!existsSync(path));
    }),
  ));

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

test('stop ends the daemon, tells that it waits, and removes the file', () =>
  withPath((path) =>
    withProgram(path, '', async (pid) => {
      assert.equal(await stopDaemon(path), pid);
      assert.ok(!existsSync(path));
    }),
  ));

test('who ignores the signal is not stopped, unless by SIGKILL', () =>
  withPath((path) =>
    withProgram(path, 'trap "" TERM', async (pid) => {
      const waits: [number, number][] = [];
      const onWait = (...wait: [number, number]) => waits.push(wait);
      await assert.rejects(stopDaemon(path, { timeout: 1100, onWait }), {
        name: 'DaemonError',
        code: 'ERR_DAEMON_STOP_TIMEOUT',
        pid,
        path,
        message: `process ${pid} of '${path}' was told to end, and has not yet`,
      });
      assert.ok(alive(pid));
      assert.equal(waits.length, 1);
      assert.equal(waits[0]![0], pid);
      assert.equal(statusOf(path).state, 'running');
      assert.equal(await stopDaemon(path, { killTimeout: 100 }), pid);
      assert.ok(!existsSync(path));
    }),
  ));

test('stop sends the signal that it is told', () =>
  withPath((path) =>
    withProgram(path, 'trap "" TERM', async (pid) => {
      assert.equal(await stopDaemon(path, { signal: 'SIGINT' }), pid);
    }),
  ));

test('the file of a daemon with a lock is removed where SIGKILL left it', () =>
  withPath((path) =>
    play(['hold', path], async ({ probe }) => {
      const { pid } = await probe.next();
      assert.equal(await stopDaemon(path, { signal: 'SIGKILL' }), pid);
      assert.ok(!existsSync(path));
      await probe.gone();
    }),
  ));

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

test('a daemon of another user is seen, and not stopped', needsRoot, () =>
  withPath((path) =>
    withProgram(path, '', async (pid) => {
      const asked = (command: string) =>
        told<Record<string, unknown>>(['control', path, command], {
          through: asNobody,
        });
      assert.deepEqual(await asked('stop'), {
        code: 'EPERM',
        path,
        message: `EPERM: operation not permitted, pidfd_send_signal '${path}': process ${pid} belongs to another user`,
      });
      assert.ok(alive(pid));
      const seen = await asked('status');
      assert.deepEqual([seen.state, seen.pid], ['running', pid]);
      chmodSync(path, 0o600);
      assert.deepEqual(await asked('status'), {
        state: 'unknown',
        reason: `EACCES: permission denied, open '${path}'`,
      });
      assert.equal((await asked('stop')).code, 'EACCES');
    }),
  ),
);

test(
  'who owns the file has nobody stopped whom he could not stop',
  needsRoot,
  () =>
    withPath((path) =>
      withProgram(path, '', async (pid) => {
        chownSync(path, 65_534, 65_534);
        const expected = {
          code: 'ERR_DAEMON_UNSAFE_PIDFILE',
          message: `'${path}' cannot be the PID file: it belongs to the user with the uid 65534, and names process ${pid} of another user`,
        };
        assert.throws(() => signalDaemon(path, 'SIGKILL'), expected);
        await assert.rejects(stopDaemon(path), expected);
        await assert.rejects(reloadDaemon(path), expected);
        assert.ok(alive(pid));
        await withPath((path) =>
          play(['hold', path], async ({ probe }) => {
            const { pid } = await probe.next<{ pid: number }>();
            chownSync(path, 65_534, 65_534);
            assert.throws(() => signalDaemon(path, 'SIGKILL'), {
              code: 'ERR_DAEMON_UNSAFE_PIDFILE',
            });
            assert.ok(alive(pid), 'its lock makes no difference');
          }),
        );
      }),
    ),
);

const hidden = (options: string): string[] => [
  ...['unshare', '-m', 'sh', '-c'],
  `mount -t proc ${options} proc /proc && exec "$@"`,
  ...['sh', ...asNobody],
];

test(
  'where /proc hides processes, it is not guessed who lives',
  needsRoot,
  () =>
    withPath((path) =>
      withProgram(path, '', async (pid) => {
        chownSync(path, 65_534, 65_534);
        for (const [command, expected] of [
          [
            'status',
            {
              state: 'unknown',
              reason: `/proc does not tell whether it is process ${pid}`,
            },
          ],
          ['stop', { code: 'ERR_DAEMON_PID_UNKNOWN' }],
          ['start', { code: 'ERR_DAEMON_PID_UNKNOWN' }],
        ] as const) {
          const { code, state, reason } = await told<Record<string, string>>(
            ['control', path, command],
            { through: hidden('-o hidepid=2') },
          );
          const seen = code === undefined ? { state, reason } : { code };
          assert.deepEqual(seen, expected, command);
        }
        assert.ok(alive(pid));
      }),
    ),
);

test('where /proc hides processes, a lock still tells', needsRoot, () =>
  withPath((path) =>
    play(['hold', path], async ({ probe }) => {
      const { pid } = await probe.next();
      assert.deepEqual(
        await told(['control', path, 'status'], {
          through: hidden('-o hidepid=2'),
        }),
        { state: 'running', pid },
      );
    }),
  ),
);

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

test('a wait for a descriptor ends with time, signal or process', () =>
  withPath((path) =>
    withProgram(path, '', async (pid, program) => {
      const pidfd = pidfdOpen(pid);
      assert.equal(await waitReadable(pidfd, 1), false);
      const over = new AbortController();
      const aborted = waitReadable(pidfd, Infinity, over.signal);
      over.abort();
      assert.equal(await aborted, false);
      assert.equal(await waitReadable(pidfd, 1, over.signal), false);
      const ended = waitReadable(pidfd, Infinity);
      program.kill('SIGKILL');
      assert.equal(await ended, true);
      assert.equal(await waitReadable(pidfd, Infinity), true, 'and stays so');
      close(pidfd);
      await assert.rejects(waitReadable(pidfd, 1), { code: 'EBADF' });
    }),
  ));

test('a Worker that is ended may be waiting', () =>
  withPath((path) =>
    withProgram(path, '', async (pid) => {
      assert.deepEqual(await told(['end a waiting Worker', path]), { exit: 1 });
      assert.ok(alive(pid));
    }),
  ));

test('wrong arguments are told as Node tells them', async () => {
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const value = { code: 'ERR_INVALID_ARG_VALUE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  for (const [options, expected] of [
    [{ signal: 'TERM' }, value],
    [{ timeout: 0 }, range],
    [{ timeout: '1' }, type],
    [{ killTimeout: -1 }, range],
    [{ onWait: 1 }, type],
    [{ tmeout: 1 }, { ...value, message: /did you mean 'timeout'/ }],
  ] as const) {
    const stop = stopDaemon('/nonexistent/x.pid', options as never);
    await assert.rejects(stop, expected);
  }
  await assert.rejects(reloadDaemon('/x', { timeout: 0 }), range);
  assert.throws(() => signalDaemon('/x', 'HUP' as never), value);
  for (const call of [statusOf, (path: string) => signalDaemon(path, 'SIGHUP')])
    assert.throws(() => call(''), value);
  assert.throws(() => pidfdOpen(0), range);
});

test('write() without a lock needs a process to name', () =>
  withPath((path) => {
    const pidfile = Pidfile.open(path);
    const lock = false;
    assert.throws(() => pidfile.write(4194303, { lock }), { code: 'ESRCH' });
    assert.throws(() => pidfile.write(1, { lock: 1 } as never), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    assert.equal(text(path).trim(), '');
    pidfile.remove();
  }));
