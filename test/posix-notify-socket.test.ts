import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { pipe, setCloexec } from '../src/posix/descriptors';
import { sendNotification } from '../src/posix/notify';
import {
  openNotifySocket,
  receiveNotification,
} from '../src/posix/notify-socket';
import { waitReadable } from '../src/posix/pidfd';
import { runToEnd } from './helpers/cli';

const name = `posix-daemonize-test/${process.pid}`;

test('a message arrives with the uid of its sender, and none is null', async () => {
  const socket = openNotifySocket(name);
  try {
    assert.equal(receiveNotification(socket), null);
    sendNotification(`@${name}`, 'READY=1\nSTATUS=ä', []);
    assert.equal(await waitReadable(socket, Infinity), true);
    const uid = process.geteuid!();
    assert.deepEqual(receiveNotification(socket), {
      text: 'READY=1\nSTATUS=ä',
      uid,
    });
    assert.equal(receiveNotification(socket), null);
  } finally {
    closeSync(socket);
  }
});

test('descriptors that come with a message are closed', () => {
  const socket = openNotifySocket(name);
  const { read, write } = pipe();
  sendNotification(`@${name}`, 'FDSTORE=1', Array<number>(253).fill(write));
  closeSync(write);
  const free = openSync('/dev/null', 'r');
  assert.equal(receiveNotification(socket)?.text, 'FDSTORE=1');
  // The end of the pipe: nobody has the other side any more.
  assert.equal(readSync(read, Buffer.alloc(1)), 0);
  const next = openSync('/dev/null', 'r');
  assert.equal(next, free + 1);
  for (const fd of [socket, read, free, next]) closeSync(fd);
});

test('a name that is in use, and one that is too long, are errors', () => {
  const socket = openNotifySocket(name);
  assert.throws(() => openNotifySocket(name), {
    code: 'EADDRINUSE',
    syscall: 'bind',
    path: `@${name}`,
  });
  closeSync(socket);
  assert.throws(() => openNotifySocket('x'.repeat(108)), {
    code: 'ENAMETOOLONG',
  });
  // It goes with the socket.
  closeSync(openNotifySocket(name));
});

test('a pipe crosses execve(2) until it has close-on-exec', async () => {
  const { read, write } = pipe();
  assert.ok(fstatSync(read).isFIFO());
  writeSync(write, 'through');
  const chunk = Buffer.alloc(16);
  assert.equal(readSync(read, chunk), 7);
  assert.equal(chunk.toString('latin1', 0, 7), 'through');
  const flags = async (fd: number): Promise<boolean> => {
    const { stdout } = await runToEnd([
      'sh',
      '-c',
      `cat /proc/${process.pid}/fdinfo/${fd}`,
    ]);
    const [, octal = ''] = /flags:\s*(\d+)/.exec(stdout) ?? [];
    return (Number.parseInt(octal, 8) & 0o2000000) !== 0;
  };
  assert.equal(await flags(read), false);
  setCloexec(read);
  assert.equal(await flags(read), true);
  setCloexec(read, false);
  assert.equal(await flags(read), false);
  closeSync(read);
  closeSync(write);
  assert.throws(() => setCloexec(read), { code: 'EBADF' });
});
