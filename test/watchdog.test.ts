import assert from 'node:assert/strict';
import { execFile, type PromiseWithChild } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startWatchdog, watchdogInterval } from '../src/systemd/watchdog';
import { withEnv } from './helpers/environment';
import { installServices } from './helpers/library';
import { nodes, type TestNode } from './helpers/nodes';
import { NotifySocket } from './helpers/notifications';
import { withFolder } from './helpers/scenario';

const [node] = nodes;

/** ms for a service that is about to end */
const DEADLINE = 10_000;

test('the watchdog is that of this process', () => {
  const pid = String(process.pid);
  for (const [WATCHDOG_USEC, WATCHDOG_PID, interval] of [
    [undefined, undefined, undefined],
    [undefined, pid, undefined],
    ['30000000', undefined, 30_000],
    ['30000000', pid, 30_000],
    ['1500', pid, 1.5],
    ['30000000', '1', undefined],
  ] as const)
    withEnv({ WATCHDOG_USEC, WATCHDOG_PID }, () => {
      assert.equal(watchdogInterval(), interval);
    });
});

test('a malformed watchdog is an error', () => {
  for (const [WATCHDOG_USEC, WATCHDOG_PID, name] of [
    ['0', undefined, 'WATCHDOG_USEC'],
    ['', undefined, 'WATCHDOG_USEC'],
    ['1s', '1', 'WATCHDOG_USEC'],
    ['-1', undefined, 'WATCHDOG_USEC'],
    ['1', 'me', 'WATCHDOG_PID'],
    ['1', '0', 'WATCHDOG_PID'],
  ] as const)
    for (const call of [watchdogInterval, startWatchdog])
      withEnv({ WATCHDOG_USEC, WATCHDOG_PID }, () => {
        assert.throws(call, {
          code: 'ERR_INVALID_ARG_VALUE',
          message: new RegExp(`^The property 'process.env.${name}' must be`),
        });
      });
});

describe('startWatchdog', () => {
  /** Starts a scenario that a manager watches: with a watchdog of 400 ms. */
  function start(
    { path }: TestNode,
    folder: string,
    scenario: string,
    NOTIFY_SOCKET: string,
  ): PromiseWithChild<{ stdout: string }> {
    installServices(folder);
    const env = { ...process.env, NOTIFY_SOCKET, WATCHDOG_USEC: '400000' };
    // The shell's pid is that of the program that it executes.
    const shell = ['-c', 'WATCHDOG_PID=$$ exec "$@"', 'sh', path];
    const program = join(folder, 'systemd.cjs');
    const args = [...shell, program, scenario];
    return promisify(execFile)('sh', args, { env, timeout: DEADLINE });
  }

  for (const node of nodes)
    test(`tells at half of the interval, and does not keep Node.js ${node.version} alive`, async () => {
      await withFolder(async (folder) => {
        const socket = await NotifySocket.listen(join(folder, 'notify'));
        const service = start(
          node,
          folder,
          'fed while it is read',
          socket.address,
        );
        const { text, pid } = await socket.next();
        const first = performance.now();
        assert.deepEqual([text, pid], ['WATCHDOG=1', service.child.pid]);
        for (let i = 0; i < 3; i++)
          assert.equal((await socket.next()).text, 'WATCHDOG=1');
        assert.ok(performance.now() - first > 500);
        service.child.stdin!.end();
        await service;
        await socket.end();
      });
    });

  test('tells nothing more once it is stopped', async () => {
    await withFolder(async (folder) => {
      const socket = await NotifySocket.listen(join(folder, 'notify'));
      await start(node, folder, 'fed and stopped', socket.address);
      assert.equal((await socket.end()).length, 1);
    });
  });

  test('tells nothing in a child made by fork()', async () => {
    await withFolder(async (folder) => {
      const socket = await NotifySocket.listen(join(folder, 'notify'));
      const service = start(node, folder, 'fed by the parent', socket.address);
      await service;
      const told = await socket.end();
      assert.ok(told.length >= 2);
      for (const { pid } of told) assert.equal(pid, service.child.pid);
    });
  });

  test('warns once where nobody hears', async () => {
    await withFolder(async (folder) => {
      const missing = join(folder, 'missing');
      const { stdout } = await start(node, folder, 'nobody hears', missing);
      assert.equal(stdout, '{"code":"ENOENT","syscall":"sendmsg"}\n');
    });
  });
});
