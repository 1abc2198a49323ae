import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  _exit,
  chdir,
  chroot,
  execvp,
  umask,
  waitpid,
} from '../src/posix/process';
import { launch } from './helpers/launch';
import { nodes } from './helpers/nodes';
import {
  type Failure,
  needsRoot,
  play,
  text,
  until,
  withFolder,
} from './helpers/scenario';

const room = 'process';
const [node] = nodes;

test('umask keeps permissions from new files and tells the mask before', async () => {
  await withFolder(async (folder) => {
    const before = process.umask();
    assert.deepEqual(await play(room, 'umask', [join(folder, 'file')]), {
      before,
      mode: 0o640,
      node: 0o027,
      set: 0o027,
    });
  });
});

for (const node of nodes) {
  test(`process.cwd() of Node.js ${node.version} agrees with chdir`, async () => {
    await withFolder(async (folder) => {
      const found = await play(room, 'chdir', [folder], { node });
      assert.deepEqual(found, { node: folder, kernel: folder });
    });
  });
}

test('chdir names the directory that it failed for', async () => {
  const { missing, file } = await play<Record<string, Failure>>(
    room,
    'chdir refused',
    [__filename],
  );
  assert.deepEqual(missing, {
    name: 'PosixError',
    message: "ENOENT: no such file or directory, chdir '/nonexistent'",
    code: 'ENOENT',
    errno: -2,
    syscall: 'chdir',
    path: '/nonexistent',
  });
  assert.equal(
    file!.message,
    `ENOTDIR: not a directory, chdir '${__filename}'`,
  );
});

test('chdir refuses to work in a Worker', async () => {
  const { error, stayed } = await play<{ error: Failure; stayed: boolean }>(
    room,
    'chdir in a Worker',
  );
  assert.equal(error.code, 'ERR_WORKER_UNSUPPORTED_OPERATION');
  assert.ok(stayed);
});

test(
  'chroot moves the root, and process.cwd() follows',
  needsRoot,
  async () => {
    await withFolder(async (folder) => {
      const cwd = await play(room, 'chroot around the working directory', [
        folder,
      ]);
      assert.equal(cwd, '/inside');
    });
  },
);

test(
  'after chroot elsewhere there is no cwd until chdir',
  needsRoot,
  async () => {
    await withFolder(async (folder) => {
      const { outside, inside } = await play<{
        outside: Failure;
        inside: string;
      }>(room, 'chroot elsewhere', [folder]);
      assert.equal(outside.code, 'ENOENT');
      assert.equal(inside, '/');
    });
  },
);

test('chroot tells what the kernel refuses', async () => {
  const { missing, unprivileged } = await play<Record<string, Failure>>(
    room,
    'chroot refused',
  );
  assert.equal(
    unprivileged!.message,
    "EPERM: operation not permitted, chroot '/'",
  );
  // Without privileges the kernel says EPERM only after it found the directory.
  assert.equal(
    missing!.message,
    "ENOENT: no such file or directory, chroot '/nonexistent'",
  );
});

test('chroot refuses to work in a Worker', needsRoot, async () => {
  await withFolder(async (folder) => {
    const { error, root } = await play<{ error: Failure; root: string }>(
      room,
      'chroot in a Worker',
      [folder],
    );
    assert.equal(error.code, 'ERR_WORKER_UNSUPPORTED_OPERATION');
    assert.equal(root, '/');
  });
});

test('waitpid tells exit status or signal, real-time signals too', async () => {
  const { rows, gone } = await play<{ rows: object[]; gone: Failure }>(
    room,
    'waitpid',
  );
  const [, , real] = rows as { signal: string }[];
  assert.match(real!.signal, /^SIGRTMIN\+[56]$/);
  assert.deepEqual(rows, [
    { pid: true, exitCode: 3, signal: null },
    { pid: true, exitCode: null, signal: 'SIGTERM' },
    { pid: true, exitCode: null, signal: real!.signal },
    { pid: true, exitCode: null, signal: 'SIGABRT' },
  ]);
  assert.equal(gone.message, 'ECHILD: no child processes, waitpid');
  assert.equal(gone.errno, -10);
});

test('waitpid finds any child, or any of the group', async () => {
  const { found, none } = await play<{ found: number[][]; none: Failure }>(
    room,
    'waitpid of any',
  );
  assert.deepEqual(found, [
    [0, 1],
    [1, 2],
  ]);
  assert.equal(none.code, 'ECHILD');
});

test('waitpid with nohang answers null for a child that runs', async () => {
  assert.deepEqual(await play(room, 'waitpid nohang'), {
    running: null,
    signal: 'SIGKILL',
  });
});

test('execvp passes arguments and environment on', async () => {
  assert.equal(await text(room, 'exec'), 'zero\nb c\n\né=1\nnone\n');
});

test('execvp passes on what is in process.env', async () => {
  assert.equal(await text(room, 'exec with the same environment'), 'yes\n');
});

for (const node of nodes) {
  test(`a program executed by Node.js ${node.version} finds no signal blocked or ignored`, async () => {
    const output = await text(room, 'exec status', [], { node });
    for (const set of ['SigBlk', 'SigIgn']) {
      assert.match(output, new RegExp(`^${set}:\\t0+$`, 'm'));
    }
  });

  test(`a program executed by Node.js ${node.version} finds stdio, open and blocking`, async () => {
    const output = await text(room, 'exec descriptors', [], { node });
    const [nonblocking, opened, fds, ...flags] = output.trim().split('\n');
    assert.equal(nonblocking, 'true,true');
    assert.ok(fds!.startsWith('0 1 2 '));
    assert.ok(!fds!.split(' ').includes(opened!), `${opened} in ${fds}`);
    assert.equal(flags.length, 3);
    for (const line of flags) {
      assert.equal(Number.parseInt(line.split(/\s+/)[1]!, 8) & 0o4000, 0, line);
    }
  });
}

test('cat executed on a pipe waits for input that comes later', async () => {
  const child = spawn(node.path, [
    join(__dirname, `fixtures/posix/${room}.cjs`),
    'exec cat',
  ]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  await until('cat', () => name(child.pid!) === 'cat');
  child.stdin.end('late');
  const [status] = (await once(child, 'close')) as [number];
  assert.deepEqual({ status, output }, { status: 0, output: 'ready\nlate' });
});

function name(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
}

test('an execvp that fails leaves everything as it was', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'not-executable');
    writeFileSync(file, '');
    const { before, errors, after } = await play<{
      before: object;
      errors: Failure[];
      after: object;
    }>(room, 'exec refused', [file], { env: { PATH: '/usr/bin:/bin' } });
    assert.deepEqual(after, before);
    assert.deepEqual(
      errors.map(({ message }) => message),
      [
        "ENOENT: no such file or directory, execvp '/nonexistent'",
        "ENOENT: no such file or directory, execvp 'no-such-program'",
        `EACCES: permission denied, execvp '${file}'`,
        "EACCES: permission denied, execvp '/'",
      ],
    );
  });
});

test('execvp in a Worker replaces the whole process', async () => {
  const [pid, shell] = (await text(room, 'exec in a Worker')).split('\n');
  assert.equal(shell, pid);
});

test('_exit ends at once, with its status', async () => {
  for (const expected of [0, 1, 255]) {
    const { status, stdout } = await launch(node, `posix/${room}.cjs`, [
      '_exit',
      String(expected),
    ]);
    assert.deepEqual({ status, stdout }, { status: expected, stdout: '' });
  }
});

test('wrong arguments are told as Node tells them', () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
  const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
  for (const [call, expected] of [
    [() => umask('027' as never), type],
    [() => umask(0o1000), range],
    [() => chdir(1 as never), type],
    [() => chdir('/tmp\0/x'), value],
    [() => chroot(undefined as never), type],
    [() => chroot('/\0'), value],
    [() => waitpid('1' as never), type],
    [() => waitpid(1, { noHang: true } as never), value],
    [() => waitpid(1, { nohang: 'yes' } as never), type],
    [() => execvp('', 'x' as never), type],
    [() => execvp('true', []), value],
    [() => execvp('true', ['a', 'b\0c']), value],
    [() => execvp('true', ['a', 1 as never]), type],
    [() => execvp('true', ['a'], null as never), type],
    [() => execvp('true', ['a'], { 'A=B': 'C' }), value],
    [() => execvp('true', ['a'], { A: 1 as never }), type],
    [() => execvp('true', ['a'], { A: 'B\0' }), value],
    [() => _exit('0' as never), type],
    [() => _exit(256), range],
    [() => _exit(-1), range],
  ] as const) {
    assert.throws(call, expected);
  }
});
