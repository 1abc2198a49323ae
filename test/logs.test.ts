import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';
import { StandardStreams } from '../src/stdio';
import type { Probe } from './helpers/launch';
import { start, withLaunching } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { forEachProgram, Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

interface Reopened {
  reopened: boolean;
  name?: string;
  message?: string;
  code?: string;
  path?: string;
  paths?: string[];
}

interface Started {
  pid: number;
  fds: Record<string, string>;
}

const [node] = nodes;
const one = new Program(node, 'program.cjs', 'logs');
const nobody = { uid: 65_534, gid: 65_534 };

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

const owners = (path: string): unknown[] => {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
};

/** Has the daemon reopen its logs. */
async function hangUp(pid: number, probe: Probe): Promise<Reopened> {
  process.kill(pid, 'SIGHUP');
  return probe.next();
}

/** Has the daemon write a line to each stream. */
async function write(pid: number, probe: Probe): Promise<void> {
  process.kill(pid, 'SIGUSR2');
  await probe.next();
}

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

/** Plays a scenario of logs-parts.mjs. */
async function playParts<T>(
  scenario: string,
  args: readonly unknown[],
  options: { pty?: boolean } = {},
): Promise<{ report: T; stdout: string; stderr: string }> {
  const launching = start(
    node,
    'logs-parts.mjs',
    [scenario, JSON.stringify(args)],
    { ...options, execArgv: ['--import', 'tsx'] },
  );
  return withLaunching(launching, async ({ probe, launched }) => {
    const { status, stdout, stderr } = await launched;
    assert.equal(status, 0, stdout + stderr);
    return { report: await probe.next<T>(), stdout, stderr };
  });
}

for (const [where, pty] of [
  ['a pipe', false],
  ['a terminal', true],
] as const) {
  for (const usedBefore of [false, true]) {
    test(`stderr stays on ${where}, ${usedBefore ? '' : 'not '}used before, until its part is redirected`, () =>
      withFolder(async (folder) => {
        const out = join(folder, 'out');
        const err = join(folder, 'err');
        const args = [['null', out, err], { usedBefore }];
        const { report, ...seen } = await playParts('later', args, { pty });
        assert.deepEqual(report, { called: 2, waiting: 0 });
        const before = usedBefore ? 'before\n' : '';
        assert.equal(
          pty ? seen.stdout : seen.stderr,
          `${before}between\n${'x'.repeat(300_000)}.\n`,
        );
        assert.equal(read(out), 'out\n');
        assert.equal(read(err), 'after\nchild\n');
      }));
  }
}

for (const shared of [false, true]) {
  test(`a log that is rotated before stderr leads to it, ${shared ? '' : 'not '}shared with stdout, is the new one`, () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out');
      const err = shared ? out : join(folder, 'err');
      const args = [['null', out, err], { rename: err }];
      const { stderr } = await playParts('later', args);
      assert.equal(stderr, `between\n${'x'.repeat(300_000)}.\n`);
      const after = 'after\nchild\n';
      assert.equal(read(`${err}.1`), shared ? 'out\n' : '');
      assert.equal(read(err), shared ? `out again\n${after}` : after);
      if (!shared) assert.equal(read(out), 'out\nout again\n');
    }));
}

test(
  'under a new root a log in it is reopened, one outside is told',
  needsRoot,
  () =>
    withFolder(async (folder) => {
      const root = join(folder, 'root');
      const out = join(root, 'logs/out');
      const err = join(folder, 'err');
      mkdirSync(join(root, 'logs'), { recursive: true });
      const mv = `mv ${out} ${out}.1; mv ${err} ${err}.1`;
      const args = [['null', out, err], { root, mv }];
      const { report } = await playParts('root', args);
      assert.deepEqual(report, {
        code: 'ERR_DAEMON_LOG_OUT_OF_ROOT',
        message: `the log '${err}' cannot be reopened, it is outside of the root '${root}'`,
        path: err,
      });
      assert.equal(read(`${out}.1`), 'out before\n');
      assert.equal(read(out), 'out after\n');
      assert.equal(read(`${err}.1`), 'err before\nerr after\n');
      assert.ok(!existsSync(err));
    }),
);

test('what the program has put in the place of a log is left alone', () =>
  withFolder(async (folder) => {
    const [out, err, other] = ['out', 'err', 'other'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await playParts('other', [['null', out, err], { other }]);
    assert.deepEqual(
      [read(out), read(err), read(other)],
      ['', 'err\n', 'out\n'],
    );
  }));
