// After a rotation a daemon goes on in the new file, where it can.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';
import { hangUp, one, owners, read, type Started, write } from './helpers/logs';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

forEachProgram('logs', (program) => {
  test('after a rotation each stream goes on in the new file, made as the old one is', () =>
    withFolder((folder) => {
      const out = join(folder, 'logs/deep/out');
      const err = join(folder, 'err');
      const targets = {
        stdout: { path: out, mode: 0o604, mkdir: true },
        stderr: err,
      };
      return program.play('serve', [targets], {}, async (probe) => {
        const { pid, fds } = await probe.next<Started>();
        assert.deepEqual([fds[1], fds[2]], [out, err]);
        await write(pid, probe);
        chmodSync(err, 0o606);
        const made = [out, err].map((path) => owners(path));
        for (const path of [out, err]) renameSync(path, `${path}.1`);
        await write(pid, probe);
        assert.deepEqual(await hangUp(pid, probe), { reopened: true });
        await write(pid, probe);
        assert.equal(read(`${out}.1`), 'out 1\nout 2\n');
        assert.equal(read(`${err}.1`), 'err 1\nerr 2\n');
        assert.equal(read(out), 'out 3\n');
        assert.equal(read(err), 'err 3\n');
        assert.deepEqual(
          [out, err].map((path) => owners(path)),
          made,
        );
        assert.deepEqual(
          made.map(([, , mode]) => mode),
          ['604', '606'],
        );
      });
    }));

  test('both streams in one file are in one new file', () =>
    withFolder(async (folder) => {
      const log = join(folder, 'log');
      for (const targets of [
        { stdout: log, stderr: log },
        { stdout: log, stderr: 1 },
      ]) {
        await program.play('serve', [targets], {}, async (probe) => {
          const { pid } = await probe.next<Started>();
          await write(pid, probe);
          renameSync(log, `${log}.1`);
          assert.deepEqual(await hangUp(pid, probe), { reopened: true });
          await write(pid, probe);
          assert.equal(read(`${log}.1`), 'out 1\nerr 1\n');
          assert.equal(read(log), 'out 2\nerr 2\n');
        });
        rmSync(log);
      }
    }));

  test('what cannot be reopened stays in use, and the other stream is reopened', () =>
    withFolder((folder) => {
      const out = join(folder, 'out');
      const err = join(folder, 'logs/err');
      const targets = { stdout: out, stderr: { path: err, mkdir: true } };
      return program.play('serve', [targets], {}, async (probe) => {
        const { pid } = await probe.next<Started>();
        renameSync(out, `${out}.1`);
        mkdirSync(out);
        renameSync(err, join(folder, 'err.1'));
        const failure = await hangUp(pid, probe);
        assert.equal(failure.code, 'EISDIR');
        assert.equal(failure.path, out);
        assert.equal(
          failure.message,
          `EISDIR: illegal operation on a directory, open '${out}'`,
        );
        await write(pid, probe);
        assert.equal(read(`${out}.1`), 'out 1\n');
        assert.equal(read(err), 'err 1\n');

        rmSync(err);
        mkdirSync(err);
        const { name, paths } = await hangUp(pid, probe);
        assert.deepEqual([name, paths], ['AggregateError', [out, err]]);

        rmSync(out, { recursive: true });
        rmSync(err, { recursive: true });
        assert.deepEqual(await hangUp(pid, probe), { reopened: true });
        await write(pid, probe);
        assert.equal(read(out) + read(err), 'out 2\nerr 2\n');
      });
    }));
});

test('devices and descriptors given by number are left alone', () =>
  withFolder((folder) => {
    const file = join(folder, 'file');
    const through = ['sh', '-c', `exec "$0" "$@" 9>>'${file}'`];
    const targets = { stdout: '/dev/full', stderr: 9, preserveFds: [9] };
    return one.play('serve', [targets], { through }, async (probe) => {
      const { pid, fds } = await probe.next<Started>();
      renameSync(file, `${file}.1`);
      assert.deepEqual(await hangUp(pid, probe), { reopened: true });
      assert.equal(fds[1], '/dev/full');
      assert.ok(!existsSync(file));
    });
  }));

test('a child that was started before goes on with the old file', () =>
  withFolder((folder) => {
    const log = join(folder, 'log');
    return one.play('inherited', [{ stdout: log }], {}, async (probe) => {
      const { pid } = await probe.next<Started>();
      renameSync(log, `${log}.1`);
      assert.deepEqual(await hangUp(pid, probe), { reopened: true });
      await write(pid, probe);
      assert.equal(read(log), 'daemon\n');
      assert.equal(read(`${log}.1`), 'child\n');
    });
  }));

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;
const needsMount = { skip: !canMount && 'run as root with CAP_SYS_ADMIN' };

test(
  'a disk that has no room for a new file keeps the old one in use',
  needsMount,
  () =>
    withFolder(async (folder) => {
      // The root directory, two logs and one file more.
      const options = ['-t', 'tmpfs', '-o', 'nr_inodes=4', 'logs', folder];
      assert.equal(spawnSync('mount', options).status, 0);
      try {
        const out = join(folder, 'out');
        const err = join(folder, 'err');
        const more = join(folder, 'more');
        writeFileSync(more, '');
        const targets = { stdout: out, stderr: err };
        await one.play('serve', [targets], {}, async (probe) => {
          const { pid } = await probe.next<Started>();
          renameSync(out, `${out}.1`);
          const { code, path } = await hangUp(pid, probe);
          assert.deepEqual([code, path], ['ENOSPC', out]);
          await write(pid, probe);
          assert.equal(read(`${out}.1`), 'out 1\n');
          rmSync(more);
          assert.deepEqual(await hangUp(pid, probe), { reopened: true });
          await write(pid, probe);
          assert.equal(read(out), 'out 2\n');
        });
      } finally {
        spawnSync('umount', [folder]);
      }
    }),
);

test('wrong targets are told as Node tells them', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  const path = '/log';
  for (const [options, code, name] of [
    [{ stdin: 'syslog' }, value, 'stdin'],
    [{ stdin: { path } }, type, 'stdin'],
    [{ stdout: null }, type, 'stdout'],
    [{ stdout: {} }, type, 'stdout.path'],
    [{ stdout: { path: '' } }, type, 'stdout.path'],
    [{ stderr: { path, mode: 0o1000 } }, 'ERR_OUT_OF_RANGE', 'stderr.mode'],
    [{ stderr: { path, mode: '640' } }, type, 'stderr.mode'],
    [{ stderr: { path, mkdir: 1 } }, type, 'stderr.mkdir'],
    [{ stderr: { path, mkdirs: true } }, value, 'stderr.mkdirs'],
  ] as const) {
    assert.throws(() => explain(options as never), {
      code,
      message: new RegExp(`options\\.${name}['"]`),
    });
  }
});
