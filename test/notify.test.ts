import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PosixError } from '../src/errors';
import { notify, type NotifyState } from '../src/systemd/notify';
import { withEnv } from './helpers/environment';
import { installServices } from './helpers/library';
import { NotifySocket, withNotifySocket } from './helpers/notifications';
import { nodes } from './helpers/nodes';
import { withFolder } from './helpers/scenario';

function tell(address: string | undefined, state: NotifyState): boolean {
  return withEnv({ NOTIFY_SOCKET: address }, () => notify(state));
}

/** A socket on a path of its own for the time of `use`. */
function withSocket<T>(use: (socket: NotifySocket) => Promise<T>): Promise<T> {
  return withFolder((folder) =>
    withNotifySocket(NotifySocket.listen(join(folder, 'notify')), use),
  );
}

function failure(address: string, state: NotifyState): PosixError {
  try {
    tell(address, state);
  } catch (error) {
    assert.ok(error instanceof PosixError, String(error));
    return error;
  }
  throw new Error('nothing was thrown');
}

const openFds = (): string[] => readdirSync('/proc/self/fd');

test('without NOTIFY_SOCKET nothing is sent', () => {
  assert.equal(tell(undefined, { ready: true }), false);
  assert.equal(tell('', { ready: true }), false);
});

test('each part of the state has its line, all in one message of this process', async () => {
  await withSocket(async (socket) => {
    for (const [state, text] of [
      [{ ready: true }, 'READY=1'],
      [{ stopping: true }, 'STOPPING=1'],
      [{ status: 'grüße', ready: true }, 'READY=1\nSTATUS=grüße'],
      [{ status: '' }, 'STATUS='],
      [{ errno: 2 }, 'ERRNO=2'],
      [{ errno: -13 }, 'ERRNO=13'],
      [{ watchdog: true }, 'WATCHDOG=1'],
      [{ watchdog: 'trigger' }, 'WATCHDOG=trigger'],
      [{ watchdogTimeout: 1500 }, 'WATCHDOG_USEC=1500000'],
      [{ extendTimeout: 1 }, 'EXTEND_TIMEOUT_USEC=1000'],
      [{ mainpid: 4711 }, 'MAINPID=4711'],
      [{ ready: false, stopping: false, watchdog: true }, 'WATCHDOG=1'],
      [{ fdstoreRemove: true, fdname: 'a b' }, 'FDNAME=a b\nFDSTOREREMOVE=1'],
      [{ fds: [], fdname: 'none', status: 'x' }, 'STATUS=x'],
    ] as [NotifyState, string][]) {
      assert.equal(tell(socket.address, state), true);
      assert.deepEqual(await socket.next(), {
        text,
        pid: process.pid,
        files: [],
        whole: true,
      });
    }
  });
});

test('a state that says nothing is not sent', async () => {
  await withSocket((socket) => {
    for (const state of [
      {},
      { ready: false },
      { watchdog: false },
      { fds: [] },
    ])
      assert.equal(tell(socket.address, state), false);
    return Promise.resolve();
  });
});

test('a reload carries the time on the monotonic clock', async () => {
  await withSocket(async (socket) => {
    const start = process.hrtime.bigint() / 1000n;
    tell(socket.address, { reloading: true });
    const end = process.hrtime.bigint() / 1000n;
    const { text } = await socket.next();
    const [, time] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(text) ?? [];
    assert.ok(start <= BigInt(time!) && BigInt(time!) <= end, text);
  });
});

test('a name in the abstract namespace is heard', async () => {
  for (const name of ['posix-daemonize', 'n'.repeat(90)]) {
    const address = `@${name}-${process.pid}`;
    await withNotifySocket(NotifySocket.listen(address), async (socket) => {
      tell(address, { ready: true });
      assert.equal((await socket.next()).text, 'READY=1');
    });
  }
});

test('descriptors go with the message and stay open here', async () => {
  await withSocket(async (socket) => {
    const fds = [__filename, '/dev/null'].map((path) => openSync(path, 'r'));
    const before = openFds();
    tell(socket.address, { fds, fdname: 'files' });
    assert.deepEqual(openFds(), before);
    assert.deepEqual(await socket.next(), {
      text: 'FDSTORE=1\nFDNAME=files',
      pid: process.pid,
      files: [__filename, '/dev/null'],
      whole: true,
    });
    fds.forEach((fd) => closeSync(fd));
  });
});

test('253 descriptors go at once', async () => {
  await withSocket(async (socket) => {
    const fds = Array.from({ length: 253 }, () => 0);
    tell(socket.address, { fds });
    const { files, whole } = await socket.next();
    assert.deepEqual([files.length, whole], [253, true]);
    assert.throws(() => tell(socket.address, { fds: [...fds, 0] }), {
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});

test('a status is one line, whatever is in it', async () => {
  await withSocket(async (socket) => {
    tell(socket.address, { status: 'no\nMAINPID=1\r\n\0\u001b[1m ½ \u2028\n' });
    assert.equal((await socket.next()).text, 'STATUS=no MAINPID=1 [1m ½');
    tell(socket.address, { status: 'lone \ud800' });
    assert.equal((await socket.next()).text, 'STATUS=lone \ufffd');
  });
});

test('a message of 4096 bytes arrives, a longer one is an error', async () => {
  await withSocket(async (socket) => {
    const fits = 'ü'.repeat((4096 - 'STATUS='.length - 1) / 2) + '!';
    tell(socket.address, { status: fits });
    assert.equal((await socket.next()).text, `STATUS=${fits}`);
    assert.throws(() => tell(socket.address, { status: `${fits}!` }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^The property 'state.status' is too long: a message has 4096/,
    });
  });
});

test('a message that nobody takes is an error that names the socket', async () => {
  await withFolder(async (folder) => {
    const before = openFds();
    const missing = join(folder, 'missing');
    assert.equal(
      failure(missing, { ready: true }).message,
      `ENOENT: no such file or directory, sendmsg '${missing}'`,
    );
    const abstract = `@nobody-${process.pid}`;
    const { code, path } = failure(abstract, { ready: true });
    assert.deepEqual([code, path], ['ECONNREFUSED', abstract]);
    for (const long of [`/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`])
      assert.equal(failure(long, { ready: true }).code, 'ENAMETOOLONG');
    await withNotifySocket(
      NotifySocket.listen(join(folder, 'notify')),
      ({ address }) => {
        assert.equal(failure(address, { fds: [99_999] }).code, 'EBADF');
        return Promise.resolve();
      },
    );
    assert.deepEqual(openFds(), before);
  });
});

test('a manager that does not read is waited for, but not for long', async () => {
  await withFolder(async (folder) => {
    const queue = NotifySocket.queue(join(folder, 'notify'));
    await withNotifySocket(queue, async (socket) => {
      let sent = 0;
      let start = performance.now();
      const fill = (): void => {
        for (;;) {
          start = performance.now();
          tell(socket.address, { mainpid: sent + 1 });
          sent++;
        }
      };
      assert.throws(fill, { code: 'EAGAIN', syscall: 'sendmsg' });
      assert.ok(performance.now() - start >= 900);
      // All that was told is there, and nothing else.
      socket.read();
      for (let i = 1; i <= sent; i++)
        assert.equal((await socket.next()).text, `MAINPID=${i}`);
      tell(socket.address, { ready: true });
      assert.equal((await socket.next()).text, 'READY=1');
    });
  });
});

test('an address that is no Unix socket is refused', () => {
  for (const address of ['vsock:2:1234', 'relative', '@', '/'])
    assert.throws(
      () => tell(address, { ready: true }),
      {
        code: 'ERR_DAEMON_UNSUPPORTED',
        message: `NOTIFY_SOCKET is '${address}', but only Unix sockets can be notified: a path or @name`,
      },
      address,
    );
});

test('wrong arguments are told as Node tells them, heard or not', () => {
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const value = { code: 'ERR_INVALID_ARG_VALUE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  for (const [state, expected] of [
    [undefined, type],
    ['READY=1', type],
    [
      { redy: true },
      { message: /'state.redy' is unknown, did you mean 'ready'/ },
    ],
    [{ ready: 1 }, type],
    [{ status: null }, type],
    [{ errno: 'ENOENT' }, type],
    [{ errno: 5000 }, range],
    [{ watchdog: 'feed' }, value],
    [{ watchdogTimeout: 0 }, range],
    [{ extendTimeout: 0.5 }, range],
    [{ extendTimeout: 2 ** 53 }, range],
    [{ mainpid: 0 }, range],
    [{ fds: 3 }, type],
    [{ fds: [-1] }, range],
    [{ fds: [0], fdname: 'a:b' }, value],
    [{ fds: [0], fdname: '' }, value],
    [{ fds: [0], fdname: 'ü' }, value],
    [{ fds: [0], fdname: 'x'.repeat(256) }, value],
    [{ fdname: 'x' }, { ...value, message: /must have fds/ }],
    [{ fdstoreRemove: true }, { ...value, message: /fdname/ }],
    [{ fds: [0], fdname: 'x', fdstoreRemove: true }, value],
    [
      { ready: true, stopping: true },
      { ...value, message: /at most one/ },
    ],
    [{ ready: true, reloading: true }, value],
  ] as const)
    assert.throws(() => tell(undefined, state as never), expected);
});

test('a child by fork() that is stopped does not say that the daemon stops', () =>
  withFolder(async (folder) => {
    installServices(folder);
    const socket = await NotifySocket.listen(join(folder, 'notify'));
    const program = [join(folder, 'systemd.cjs'), 'a child is stopped'];
    const env = { ...process.env, NOTIFY_SOCKET: socket.address };
    const service = promisify(execFile)(nodes[0].path, program, { env });
    const { stdout } = await service;
    assert.equal(stdout, 'child stops\nparent ends\n');
    const told = await socket.end();
    assert.deepEqual(
      told.map(({ text, pid }) => [text, pid]),
      [['READY=1', service.child.pid]],
    );
  }));
