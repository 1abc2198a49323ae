import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pidfile } from '../src/pidfile';
import { umask } from '../src/posix/process';
import { firstLine, run, text, withPath } from './helpers/pidfile';
import { needsRoot } from './helpers/scenario';

const nobody = { uid: 65_534, gid: 65_534 };

const mode = (path: string): number => statSync(path).mode & 0o777;

test('a file is blank first, the pid from write() on, and is gone after remove()', () =>
  withPath((path) => {
    const pidfile = Pidfile.open(path);
    assert.equal(pidfile.path, path);
    assert.equal(text(path).trim(), '');
    assert.equal(pidfile.read(), undefined);
    pidfile.write();
    assert.equal(firstLine(path), `${process.pid}\n`);
    assert.equal(pidfile.read(), process.pid);
    pidfile.write(1234567);
    pidfile.write(89);
    assert.equal(firstLine(path), '89\n');
    assert.equal(pidfile.remove(), true);
    assert.ok(!existsSync(path));
    assert.equal(pidfile.fd, -1);
    assert.equal(pidfile.remove(), false);
  }));

for (const content of [
  '4194303\n',
  '',
  'garbage',
  '-1\n',
  '0\n',
  '1 2 3',
  `${'9'.repeat(100_000)}\n`,
]) {
  const name = JSON.stringify(content.slice(0, 10));
  test(`what a dead daemon left is taken over: ${name}`, () =>
    withPath((path) => {
      writeFileSync(path, content);
      assert.equal(Pidfile.holder(path), null);
      const pidfile = Pidfile.open(path);
      assert.equal(pidfile.holder(), undefined, 'nothing of a dead daemon');
      assert.equal(text(path).trim(), '');
      pidfile.write();
      assert.equal(firstLine(path), `${process.pid}\n`);
      assert.equal(pidfile.holder(), process.pid);
      pidfile.remove();
    }));
}

test('read() takes nothing but the digits of a pid and a newline', () =>
  withPath((path) => {
    const pidfile = Pidfile.open(path);
    pidfile.write();
    for (const [content, pid] of [
      ['1\n', 1],
      ['4194304\n', 2 ** 22],
      ['4194305\n', undefined],
      ['99999999999999999999\n', undefined],
      ['0\n', undefined],
      ['-1\n', undefined],
      ['+1\n', undefined],
      ['01\n', undefined],
      [' 1\n', undefined],
      ['1', undefined],
      ['1\n\n', undefined],
      ['1 \n', undefined],
      ['1\n2\n', undefined],
      ['0x1\n', undefined],
      ['1e3\n', undefined],
      ['12a\n', undefined],
      ['\n', undefined],
      ['', undefined],
    ] as const) {
      writeFileSync(path, content);
      assert.equal(pidfile.read(), pid, JSON.stringify(content));
      assert.equal(pidfile.holder(), pid, JSON.stringify(content));
    }
    pidfile.remove();
  }));

test('a file that was closed is left where it is, and says so', () =>
  withPath((path) => {
    const pidfile = Pidfile.open(path);
    pidfile.write();
    pidfile.close();
    pidfile.close();
    assert.equal(pidfile.holder(), null);
    assert.equal(firstLine(path), `${process.pid}\n`);
    for (const call of [() => pidfile.write(), () => pidfile.read()])
      assert.throws(call, { name: 'PosixError', code: 'EBADF', path });
    assert.equal(pidfile.remove(), false);
    assert.ok(existsSync(path));
  }));

test('what is no regular file, or not for us alone, is refused and stays', async () => {
  await withPath((path, folder) => {
    const precious = join(folder, 'precious');
    const refused = (reason: RegExp, file = path) => {
      for (const call of [() => Pidfile.open(file), () => Pidfile.holder(file)])
        assert.throws(call, {
          name: 'DaemonError',
          code: 'ERR_DAEMON_UNSAFE_PIDFILE',
          path: file,
          reason,
          message: new RegExp(`^'${file}' cannot be the PID file: it `),
        });
    };
    writeFileSync(precious, '1\n');

    symlinkSync(precious, path);
    refused(/^is a symbolic link$/);
    unlinkSync(path);

    symlinkSync(join(folder, 'nowhere'), path);
    refused(/^is a symbolic link$/);
    assert.ok(!existsSync(join(folder, 'nowhere')));
    unlinkSync(path);

    mkdirSync(path);
    refused(/^is a directory$/);
    rmSync(path, { recursive: true });

    run('mkfifo', path);
    refused(/^is no regular file$/);
    unlinkSync(path);

    run('python3', '-c', `import socket; socket.socket(1).bind('${path}')`);
    refused(/^is no regular file$/);
    unlinkSync(path);

    refused(/^is no regular file$/, '/dev/null');

    linkSync(precious, path);
    refused(/^has a second name, a hard link$/);
    unlinkSync(path);

    writeFileSync(path, '1\n');
    chmodSync(path, 0o646);
    refused(/^may be written by everybody \(its mode is 0646\)$/);
    chmodSync(path, 0o664);
    refused(/^may be written by its group \(its mode is 0664\)$/);
    assert.equal(text(path), '1\n');
    assert.equal(text(precious), '1\n');
  });
});

test(
  "a file of another user is refused, unless it is the daemon's",
  needsRoot,
  () =>
    withPath((path) => {
      writeFileSync(path, '1\n');
      chownSync(path, nobody.uid, nobody.gid);
      assert.throws(() => Pidfile.open(path), {
        code: 'ERR_DAEMON_UNSAFE_PIDFILE',
        reason: 'belongs to the user with the uid 65534',
      });
      assert.equal(text(path), '1\n');
      const pidfile = Pidfile.open(path, { owner: nobody });
      assert.equal(statSync(path).uid, 0, 'he is not to choose the pid in it');
      pidfile.remove();
      assert.ok(!existsSync(path));
    }),
);

test('mode and directories are as asked for, whatever the umask', () =>
  withPath((path, folder) => {
    const deep = join(folder, 'a/b/x.pid');
    assert.throws(() => Pidfile.open(deep), {
      name: 'PosixError',
      code: 'ENOENT',
      path: deep,
    });
    for (const mask of [0, 0o077]) {
      const before = umask(mask);
      const files = [
        Pidfile.open(path),
        Pidfile.open(deep, { mode: 0o640, mkdir: true }),
      ];
      umask(before);
      assert.equal(mode(path), 0o644);
      assert.equal(mode(deep), 0o640);
      for (const made of ['a', 'a/b'])
        assert.equal(mode(join(folder, made)), 0o755);
      files.forEach((file) => file.remove());
      rmSync(join(folder, 'a'), { recursive: true });
    }
    writeFileSync(path, '', { mode: 0o600 });
    Pidfile.open(path).close();
    assert.equal(mode(path), 0o644, 'that of a file taken over too');
    mkdirSync(join(folder, 'mine'), { mode: 0o700 });
    Pidfile.open(join(folder, 'mine/x.pid'), { mkdir: true }).close();
    assert.equal(mode(join(folder, 'mine')), 0o700, 'one that was there stays');
  }));

test('wrong arguments are told as Node tells them', () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
  const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
  const open = (options: object) => () =>
    Pidfile.open('/nowhere/x.pid', options);
  for (const [call, expected] of [
    [() => Pidfile.open(1 as never), type],
    [() => Pidfile.open(''), value],
    [() => Pidfile.open('a\0b'), value],
    [() => Pidfile.holder(undefined as never), type],
    [() => Pidfile.holder(''), value],
    [open({ mode: '644' }), type],
    [open({ mode: 0o1644 }), range],
    [open({ mode: 0o666 }), value],
    [open({ mkdir: 1 }), type],
    [open({ owner: 'nobody' }), type],
    [open({ owner: { uid: 1 } }), type],
    [open({ owner: { uid: -1, gid: 1 } }), range],
    [open({ owner: { uid: 1, gid: 2 ** 32 - 1 } }), range],
    [open({ modes: 0o644 }), { ...value, message: /did you mean 'mode'\?/ }],
  ] as const) {
    assert.throws(call, expected);
  }
  return withPath((path) => {
    const pidfile = Pidfile.open(path);
    for (const pid of [0, -1, 1.5, 2 ** 22 + 1])
      assert.throws(() => pidfile.write(pid), range);
    assert.throws(() => pidfile.write('1' as never), type);
    pidfile.remove();
  });
});
