import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Pidfile } from '../src/pidfile';
import { close, flock } from '../src/posix/descriptors';
import { alreadyRunning, play, run, text, withPath } from './helpers/pidfile';

const needs = (program: string, debian: string) => ({
  skip:
    spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0 &&
    `install ${debian}`,
});

test(
  'flock(1) finds the file of a daemon locked, and keeps one from starting',
  needs('flock', 'util-linux'),
  () =>
    withPath(async (path) => {
      await play(['daemon', path], async ({ probe }) => {
        await probe.next();
        assert.deepEqual(run('flock', '-n', path, 'true'), [1, '']);
        assert.deepEqual(run('flock', '-ns', path, 'true'), [1, '']);
      });
      writeFileSync(path, '4194303\n');
      await locking('flock', [path, 'sh', '-c', 'echo; cat'], () => {
        assert.equal(Pidfile.holder(path), null);
        assert.throws(
          () => Pidfile.open(path),
          alreadyRunning(path, undefined),
        );
      });
      assert.equal(text(path), '4194303\n');
      Pidfile.open(path).remove();
    }),
);

test('start-stop-daemon and pgrep find the daemon by its file', async (t) => {
  for (const [program, debian] of [
    ['start-stop-daemon', 'dpkg'],
    ['pgrep', 'procps'],
  ] as const) {
    const { skip } = needs(program, debian);
    if (skip) return t.skip(skip);
  }
  await withPath(async (path) => {
    const status = () =>
      run('start-stop-daemon', '--status', '--pidfile', path);
    assert.deepEqual(status(), [3, ''], 'not running');
    await play(['daemon', path], async ({ probe, process: launcher }) => {
      const { pid } = await probe.next<{ pid: number }>();
      assert.notEqual(pid, launcher.pid);
      assert.deepEqual(status(), [0, ''], 'running');
      assert.deepEqual(run('pgrep', '-F', path), [0, String(pid)]);
      assert.deepEqual(run('pgrep', '-L', '-F', path), [0, String(pid)]);
    });
    const dead = Pidfile.open(path);
    assert.deepEqual(status(), [4, ''], 'nothing to tell before write()');
    assert.equal(run('pgrep', '-F', path)[0], 1);
    dead.write();
    dead.close();
    assert.equal(run('pgrep', '-L', '-F', path)[0], 1, 'it is not locked');
  });
});

/** libbsd's pidfile(3), by Python. */
const libbsd = `
import ctypes, sys
bsd = ctypes.CDLL('libbsd.so.0', use_errno=True)
bsd.pidfile_open.restype = ctypes.c_void_p
other = ctypes.c_int(0)
file = bsd.pidfile_open(sys.argv[1].encode(), 0o644, ctypes.byref(other))
if not file:
  print(ctypes.get_errno(), other.value)
  sys.exit(1)
bsd.pidfile_write(ctypes.c_void_p(file))
print('locked', flush=True)
sys.stdin.read()`;

const needsLibbsd = {
  skip:
    spawnSync('python3', ['-c', "import ctypes; ctypes.CDLL('libbsd.so.0')"])
      .status !== 0 && 'install libbsd0 and python3',
};

test(
  'a daemon that uses libbsd knows ours, and ours knows it',
  needsLibbsd,
  () =>
    withPath(async (path) => {
      await play(['daemon', path], async ({ probe }) => {
        const { pid } = await probe.next();
        // It takes the pid and the newline after it for an error, EINVAL.
        const refused = run('python3', '-c', libbsd, path);
        assert.deepEqual(refused, [1, `22 ${pid}`]);
      });
      await locking('python3', ['-c', libbsd, path], ({ pid }) => {
        assert.equal(text(path), String(pid));
        assert.equal(Pidfile.holder(path), null);
        assert.throws(
          () => Pidfile.open(path),
          alreadyRunning(path, undefined),
        );
        assert.equal(text(path), String(pid), 'nothing was changed');
      });
    }),
);

test('the record lock of a daemon written after APUE tells its pid', () =>
  withPath(async (path) => {
    const apue = `
import fcntl, os, sys
file = open(sys.argv[1], 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()`;
    await locking('python3', ['-c', apue, path], ({ pid }) => {
      assert.equal(Pidfile.holder(path), pid);
      assert.throws(() => Pidfile.open(path), alreadyRunning(path, pid));
    });
  }));

test('who may only read the file cannot pose as the daemon', () =>
  withPath((path) => {
    writeFileSync(path, `${process.pid}\n`);
    const fd = openSync(path, 'r');
    assert.ok(flock(fd, 'exclusive'));
    assert.equal(Pidfile.holder(path), null);
    close(fd);
  }));

/** Runs a program that writes a line once it has its lock and ends with stdin. */
async function locking(
  command: string,
  args: string[],
  use: (holder: ChildProcess) => void,
): Promise<void> {
  const holder = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(holder, 'exit');
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      exit.then(([status]) => assert.fail(`${command} exited with ${status}`)),
    ]);
    use(holder);
  } finally {
    holder.stdin.end();
    await exit;
  }
}
