import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forEachProgram } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

interface User {
  uid: number;
  gid: number;
  groups: number[];
}

interface Thread {
  tid: number;
  uids: number[];
  gids: number[];
  groups: number[];
}

interface Told {
  role: string;
  pid: number;
  /** of threads before the fork */
  count: number;
  threads: Thread[];
  later: Thread[];
  inWorker: string;
  inPool: string[];
  keys: string[];
  setuid: string;
  setgid: string;
  setgroups: string;
}

interface Files {
  secret: string;
  made: string;
}

const nobody = { uid: 65_534, gid: 65_534, groups: [65_534] };
const other = { uid: 48_900, gid: 48_901, groups: [48_902, 48_903] };

const key = pbkdf2Sync('password', 'salt', 20_000, 32, 'sha512');

forEachProgram('privileges', (program) => {
  test(
    'setgroups, setgid and setuid in the daemon change every thread, for good',
    needsRoot,
    () =>
      withFolder((folder) => {
        const files = makeFiles(folder, 'daemon');
        const args = [nobody, files];
        return program.play('daemon', args, {}, async (probe, { status }) => {
          assert.equal(status, 0);
          assertIs(nobody, await probe.next<Told>(), files);
        });
      }),
  );

  test(
    'after fork() the child and the parent change their own threads, for good',
    needsRoot,
    () =>
      withFolder(async (folder) => {
        const users = { child: nobody, parent: other };
        const files = {
          child: makeFiles(folder, 'child'),
          parent: makeFiles(folder, 'parent'),
        };
        const told = new Map<string, Told>();
        const args = [users, files];
        await program.watch('fork', args, {}, async ({ probe }) => {
          while (told.size < 2) {
            const report = await probe.next<Told>();
            told.set(report.role, report);
          }
        });
        const [child, parent] = [told.get('child')!, told.get('parent')!];
        assertIs(nobody, child, files.child);
        assertIs(other, parent, files.parent);
        assert.notEqual(child.pid, parent.pid);
      }),
  );
});

/** A file that only root reads, and a place where anybody may make another. */
function makeFiles(folder: string, name: string): Files {
  chmodSync(folder, 0o777);
  const secret = join(folder, `${name} secret`);
  writeFileSync(secret, 'secret', { mode: 0o600 });
  return { secret, made: join(folder, `${name} made`) };
}

function assertIs(user: User, told: Told, { made }: Files): void {
  const { uid, gid, groups } = user;
  // Later, the pool may have more threads: it starts them when it has work.
  assert.ok(told.threads.length >= told.count, 'every thread lives on');
  for (const { uids, gids, ...thread } of [...told.threads, ...told.later]) {
    assert.deepEqual(uids, [uid, uid, uid, uid]);
    assert.deepEqual(gids, [gid, gid, gid, gid]);
    assert.deepEqual(thread.groups, groups);
  }
  assert.equal(told.inWorker, 'EACCES');
  assert.deepEqual(told.inPool, Array(told.inPool.length).fill('EACCES'));
  assert.equal(told.inPool.length, 8);
  const stats = statSync(made);
  assert.deepEqual([stats.uid, stats.gid], [uid, gid]);
  const { setuid, setgid, setgroups } = told;
  assert.deepEqual([setuid, setgid, setgroups], ['EPERM', 'EPERM', 'EPERM']);
  assert.deepEqual(told.keys, Array(8).fill(key.toString('hex')));
}
