import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getsockname, type SocketName } from '../src/posix/sockets';
import { withFolder } from './helpers/scenario';

async function ofServer(...at: [path: string] | [0, string]) {
  const server = createServer();
  if (at.length === 1) server.listen(at[0]);
  else server.listen(...at);
  await once(server, 'listening');
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    return getsockname(fd);
  } finally {
    server.close();
  }
}

test('getsockname knows the family of a socket that is bound', async () => {
  assert.deepEqual(await ofServer(0, '127.0.0.1'), {
    family: 'inet',
    named: true,
  });
  await withFolder(async (folder) => {
    const unix: SocketName = await ofServer(join(folder, 'socket'));
    assert.deepEqual(unix, { family: 'unix', named: true });
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

test(
  'getsockname knows a socket of IPv6',
  { skip: !hasIpv6 && 'give the loopback interface ::1' },
  async () => {
    const name = await ofServer(0, '::1');
    assert.deepEqual(name, { family: 'inet6', named: true });
  },
);

test('getsockname finds no name on a socketpair', () => {
  const script = `const { getsockname } = require(${JSON.stringify(join(__dirname, '../src/posix/sockets.ts'))});
    console.log(JSON.stringify(getsockname(0)));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '-e', script],
    { encoding: 'utf8', cwd: join(__dirname, '..'), input: '' },
  );
  assert.equal(stdout, '{"family":"unix","named":false}\n', stderr);
});

test('getsockname fails with ENOTSOCK for a file and EBADF for nothing', () => {
  const fd = openSync('/dev/null', 'r');
  assert.throws(() => getsockname(fd), {
    name: 'PosixError',
    code: 'ENOTSOCK',
    syscall: 'getsockname',
  });
  closeSync(fd);
  assert.throws(() => getsockname(0x7fffffff), { code: 'EBADF' });
});
