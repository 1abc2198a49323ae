// Whom the logs belong to that root makes, and that who was root reopens.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StandardStreams } from '../src/stdio';
import {
  hangUp,
  nobody,
  one,
  owners,
  read,
  type Started,
  write,
} from './helpers/logs';
import { needsRoot, withFolder } from './helpers/scenario';

test(
  'a daemon that gave up root reopens logs that are its own',
  needsRoot,
  () =>
    withFolder((folder) => {
      const out = join(folder, 'own/out');
      const err = join(folder, 'root/err');
      for (const path of [out, err]) mkdirSync(join(path, '..'));
      writeFileSync(out, '');
      chownSync(out, nobody.uid, nobody.gid);
      chownSync(join(out, '..'), nobody.uid, nobody.gid);
      chmodSync(folder, 0o755);
      const args = [{ stdout: out, stderr: err, umask: 0o077 }, nobody];
      return one.play('serve', args, {}, async (probe) => {
        const { pid } = await probe.next<Started>();
        const made = owners(out);
        assert.deepEqual(made, [nobody.uid, nobody.gid, '644']);
        for (const path of [out, err]) renameSync(path, `${path}.1`);
        const { code, path } = await hangUp(pid, probe);
        assert.deepEqual([code, path], ['EACCES', err]);
        await write(pid, probe);
        assert.deepEqual(owners(out), made);
        assert.equal(read(out), 'out 1\n');
        assert.equal(read(`${err}.1`), 'err 1\n');
      });
    }),
);

test(
  'a log that would come to belong to somebody else is not made',
  needsRoot,
  () =>
    withFolder((folder) => {
      const out = join(folder, 'out');
      chmodSync(folder, 0o777);
      const args = [{ stdout: out }, nobody];
      return one.play('serve', args, {}, async (probe) => {
        const { pid } = await probe.next<Started>();
        renameSync(out, `${out}.1`);
        const { message, path } = await hangUp(pid, probe);
        assert.equal(
          message,
          `EPERM: operation not permitted, fchown '${out}'`,
        );
        assert.equal(path, out);
        assert.ok(!existsSync(out));
        await write(pid, probe);
        assert.equal(read(`${out}.1`), 'out 1\n');
        // What logrotate's `create` does.
        writeFileSync(out, '', { mode: 0o666 });
        chownSync(out, nobody.uid, nobody.gid);
        assert.deepEqual(await hangUp(pid, probe), { reopened: true });
        await write(pid, probe);
        assert.equal(read(out), 'out 2\n');
      });
    }),
);

test(
  'files and directories that root makes belong to the later user, others stay',
  needsRoot,
  () =>
    withFolder((folder) => {
      const out = join(folder, 'there/a/b/out');
      const err = join(folder, 'there/err');
      mkdirSync(join(folder, 'there'));
      writeFileSync(err, 'kept', { mode: 0o600 });
      const mask = process.umask(0o027);
      const streams = new StandardStreams(
        ['null', { path: out, mkdir: true }, err],
        () => assert.fail('no target is the log'),
      );
      streams.open(nobody);
      process.umask(mask);
      streams.close();
      const { uid, gid } = nobody;
      assert.deepEqual(owners(join(folder, 'there')).slice(0, 2), [0, 0]);
      assert.deepEqual(owners(join(folder, 'there/a')), [uid, gid, '750']);
      assert.deepEqual(owners(join(folder, 'there/a/b')), [uid, gid, '750']);
      assert.deepEqual(owners(out), [uid, gid, '640']);
      assert.deepEqual(owners(err), [0, 0, '600']);
      assert.equal(read(err), 'kept');
      return Promise.resolve();
    }),
);
