import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pidfile } from '../src/pidfile';
import { type Failure, text, told, withPath } from './helpers/pidfile';
import { asNobody, needsRoot } from './helpers/scenario';

const nobody = { uid: 65_534, gid: 65_534 };
test(
  "the daemon's user owns the directories made for the file, root the file",
  needsRoot,
  () =>
    withPath(async (_, folder) => {
      const path = join(folder, 'a/b/x.pid');
      const options = { mkdir: true, owner: nobody };
      Pidfile.open(path, options).close();
      for (const made of ['a', 'a/b']) {
        const { uid, gid } = statSync(join(folder, made));
        assert.deepEqual({ uid, gid }, nobody, made);
      }
      for (const roots of [folder, path])
        assert.equal(statSync(roots).uid, 0, roots);
      assert.deepEqual(
        await told(['become nobody', path, JSON.stringify(options)]),
        { written: true, removed: true },
      );
      assert.ok(!existsSync(path));
    }),
);

test(
  'a daemon that may not remove its file leaves it empty and says so',
  needsRoot,
  () =>
    withPath(async (path) => {
      const { written, removed } = await told<{
        written: true;
        removed: Failure;
      }>(['become nobody', path, JSON.stringify({ owner: nobody })]);
      assert.equal(written, true);
      assert.equal(
        removed.message,
        `EACCES: permission denied, unlink '${path}'`,
      );
      assert.equal(text(path), '');
      assert.equal(Pidfile.holder(path), null);
    }),
);

test(
  'who may not write in the directory, or give one away, is told',
  needsRoot,
  () =>
    withPath(async (path, folder) => {
      const open = (...options: string[]) =>
        told<{ result: Failure }>(['open', path, ...options], {
          through: asNobody,
        });
      assert.equal(
        (await open()).result.message,
        `EACCES: permission denied, open '${path}'`,
      );
      chmodSync(folder, 0o777);
      const owner = { uid: 0, gid: 0 };
      assert.equal(
        (
          await told<{ result: Failure }>(
            [
              'open',
              join(folder, 'sub/x.pid'),
              JSON.stringify({ mkdir: true, owner }),
            ],
            { through: asNobody },
          )
        ).result.message,
        `EPERM: operation not permitted, fchown '${join(folder, 'sub')}'`,
      );
      writeFileSync(path, '', { mode: 0o600 });
      const { code } = await told<Failure>(['holder', path], {
        through: asNobody,
      });
      assert.equal(code, 'EACCES');
    }),
);

test(
  'a full disk is noticed by open(), and once that is done write() has its place',
  needsRoot,
  () =>
    withPath(async (_, folder) => {
      const mount = 'mount -t tmpfs -o size=8k,mode=755 none "$0" && exec "$@"';
      const through = ['unshare', '-m', 'sh', '-c', mount, folder];
      const path = join(folder, 'x.pid');
      const full = (when: string) =>
        told<Record<'filled' | 'result' | 'left' | 'pid', unknown>>(
          ['full disk', when, path, join(folder, 'filler')],
          { through },
        );

      const before = await full('before');
      assert.equal(before.filled, 'ENOSPC');
      assert.equal(
        (before.result as Failure).message,
        `ENOSPC: no space left on device, write '${path}'`,
      );
      assert.equal((before.left as Failure).code, 'ENOENT');

      const after = await full('after');
      const { filledLater, pid, text } = after.result as Record<string, string>;
      assert.deepEqual([filledLater, pid], ['ENOSPC', after.pid]);
      assert.match(text!, new RegExp(`^${pid}\\nstart=\\d+ boot=\\S+\\n$`));
    }),
);

test('a pid that cannot be written leaves the file empty, not half', () =>
  withPath(async (path) => {
    assert.deepEqual(await told(['file size limit', path]), {
      message: `EFBIG: file too large, write '${path}'`,
      left: '',
    });
  }));

test(
  'after a chroot() the file is not found: it is left empty',
  needsRoot,
  () =>
    withPath(async (path, folder) => {
      const root = join(folder, 'root');
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, path), 'of the new root\n');
      assert.deepEqual(await told(['chroot', path, root]), {
        holder: null,
        removed: false,
      });
      assert.equal(text(path), '');
      assert.equal(text(join(root, path)), 'of the new root\n');
    }),
);
