// What stop, signal and status do to the process that holds a PID file.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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
import { identify } from '../src/process-identity';
import { alive, assertNobody, boot } from './helpers/control';
import { withProgram } from './helpers/held';
import { alreadyRunning, play, text, told, withPath } from './helpers/pidfile';

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
