import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import type { Probe } from './helpers/launch';
import { firstLine } from './helpers/pidfile';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';
import { assertUnprivileged, readThreads } from './helpers/threads';

const nobody = { uid: 65_534, gid: 65_534, groups: [65_534] };
const user = { user: 'nobody', group: nobody.gid, umask: 0o027 };

/** At the least: the main thread, V8's, libuv's pool, and a Worker. */
const THREADS = 10;

/** A directory outside that is inherited, and has to be closed. */
const through = ['bash', '-c', 'exec 9</etc; exec "$0" "$@"'];

interface Server {
  pid: number;
  port: number;
  cwd: string;
  pidfile: string;
  again: string[];
}

interface Reopened {
  error: { code: string; message: string } | null;
}

const read = (path: string): string => readFileSync(path, 'utf8');

function shapeOf(path: string): [uid: number, gid: number, mode: string] {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
}

async function ask(port: number): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return JSON.parse(await text(socket)) as string[];
}

/** In the time of `use` a daemon runs that was root and has become nobody. */
function withServer(
  program: Program,
  options: object,
  secret: string,
  use: (server: Server, probe: Probe) => Promise<void>,
): Promise<void> {
  return program.play(
    'server',
    [options, secret],
    { through },
    async (probe, { status, stdout, stderr }) => {
      assert.deepEqual(
        { status, stdout, stderr },
        { status: 0, stdout: '', stderr: '' },
      );
      const server = await probe.next<Server>();
      assertUnprivileged(server.pid, nobody);
      assert.ok(readThreads(server.pid).length >= THREADS);
      assert.deepEqual(server.again, Array(4).fill('EPERM'));
      await use(server, probe);
      // Who has served, and tried the way back, is still nobody.
      assertUnprivileged(server.pid, nobody);
      process.kill(server.pid, 'SIGTERM');
      assert.deepEqual(await probe.next(), { exit: 0 });
      assert.deepEqual(await probe.gone(), []);
    },
  );
}

/** As logrotate does without `create`. */
async function rotate(
  log: string,
  pid: number,
  probe: Probe,
): Promise<Reopened> {
  renameSync(log, `${log}.1`);
  process.kill(pid, 'SIGUSR2');
  return probe.next<Reopened>();
}

function assertRotated(log: string): void {
  assert.deepEqual(shapeOf(log), shapeOf(`${log}.1`));
  assert.deepEqual(shapeOf(log), [nobody.uid, nobody.gid, '640']);
  assert.equal(read(`${log}.1`), 'before it is reopened\n');
  assert.equal(read(log), 'after it was reopened\n');
}

/** A folder that nobody can get to, with a secret of root's in it. */
function withPlace(
  use: (folder: string, secret: string) => Promise<void>,
): Promise<void> {
  return withFolder((folder) => {
    chmodSync(folder, 0o755);
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'secret', { mode: 0o600 });
    return use(folder, secret);
  });
}

forEachProgram('daemonize', (program) => {
  test(
    'root becomes nobody with a Worker, a busy pool and a low port, and what was made for it is its own',
    needsRoot,
    () =>
      withPlace((folder, secret) => {
        const pidfile = join(folder, 'run/a/server.pid');
        const log = join(folder, 'log/a/server.log');
        const made = { path: log, mkdir: true };
        const options = {
          ...user,
          pidfile: { path: pidfile, mkdir: true },
          stdout: made,
          stderr: made,
        };
        return withServer(program, options, secret, async (server, probe) => {
          const { pid, port } = server;
          assert.equal(server.pidfile, pidfile);
          assert.equal(firstLine(pidfile), `${pid}\n`);
          assert.equal(Pidfile.holder(pidfile), pid);
          const own = [nobody.uid, nobody.gid];
          for (const [path, mode] of [
            ['run', '755'],
            ['run/a', '755'],
            ['log', '750'],
            ['log/a', '750'],
            ['log/a/server.log', '640'],
          ] as const)
            assert.deepEqual(shapeOf(join(folder, path)), [...own, mode], path);
          assert.deepEqual(shapeOf(pidfile), [0, 0, '644']);

          const answers = await ask(port);
          assert.deepEqual(answers, Array(answers.length).fill('EACCES'));
          assert.ok(answers.length > 1);

          assert.deepEqual(await rotate(log, pid, probe), { error: null });
          assertRotated(log);
          assert.equal(readlinkSync(`/proc/${pid}/fd/1`), log);
          assert.equal(readlinkSync(`/proc/${pid}/fd/2`), log);
        }).then(() => {
          assert.deepEqual(readdirSync(join(folder, 'run/a')), []);
        });
      }),
  );

  test(
    'below a chroot without /proc privileges are gone, logs are reopened, and the PID file is removed',
    needsRoot,
    () =>
      withPlace((folder, secret) => {
        const root = join(folder, 'root');
        const link = join(folder, 'link');
        mkdirSync(join(root, 'work'), { recursive: true });
        symlinkSync(root, link);
        // The root by a link, the logs by another way.
        const pidfile = join(link, 'run/server.pid');
        const log = join(root, 'log/server.log');
        const options = {
          ...user,
          chroot: link,
          cwd: 'work',
          pidfile: { path: pidfile, mkdir: true },
          stdout: { path: log, mkdir: true },
          stderr: log,
          ready: 'manual',
        };
        return withServer(program, options, secret, async (server, probe) => {
          const { pid, port } = server;
          assert.equal(server.cwd, '/work');
          assert.equal(readlinkSync(`/proc/${pid}/root`), root);
          assert.equal(readlinkSync(`/proc/${pid}/cwd`), join(root, 'work'));
          assert.equal(Pidfile.holder(pidfile), pid);

          const answers = await ask(port);
          assert.deepEqual(answers, Array(answers.length).fill('ENOENT'));
          assertNoWayOut(pid);

          assert.deepEqual(await rotate(log, pid, probe), { error: null });
          assertRotated(log);
        }).then(() => {
          assert.deepEqual(readdirSync(join(root, 'run')), []);
        });
      }),
  );

  test(
    'of what a chroot leaves outside, the PID file stays, empty and free, and the log cannot be reopened',
    needsRoot,
    () =>
      withPlace((folder, secret) => {
        const root = join(folder, 'root');
        const pidfile = join(folder, 'run/server.pid');
        const log = join(folder, 'log/server.log');
        mkdirSync(root);
        const options = {
          ...user,
          chroot: root,
          pidfile: { path: pidfile, mkdir: true },
          stdout: { path: log, mkdir: true },
          stderr: 1,
        };
        return withServer(program, options, secret, async (server, probe) => {
          const { pid } = server;
          assert.equal(Pidfile.holder(pidfile), pid);
          const { error } = await rotate(log, pid, probe);
          assert.equal(error?.code, 'ERR_DAEMON_LOG_OUT_OF_ROOT');
          assert.equal(
            error.message,
            `the log '${log}' cannot be reopened, it is outside of the root '${root}'`,
          );
          assert.ok(!existsSync(log));
          assert.equal(
            read(`${log}.1`),
            'before it is reopened\nafter it was reopened\n',
          );
          assertNoWayOut(pid);
        }).then(async () => {
          assert.equal(read(pidfile), '');
          assert.equal(Pidfile.holder(pidfile), null);
          const again = { ...user, pidfile };
          await program.play('plain', [again], {}, async (probe, launched) => {
            assert.equal(launched.status, 0, launched.stderr);
            const { pid } = await probe.next();
            assert.equal(firstLine(pidfile), `${pid}\n`);
          });
        });
      }),
  );

  test(
    "SIGTERM ends nobody's daemon in order whose PID file is in root's folder",
    needsRoot,
    () =>
      withPlace(async (folder) => {
        const pidfile = join(folder, 'server.pid');
        const stderr = join(folder, 'log');
        const options = { ...user, pidfile, stderr };
        await program.play('plain', [options], {}, async (probe) => {
          const { pid } = await probe.next();
          process.kill(pid, 'SIGTERM');
          assert.deepEqual(await probe.next(), { exit: 0 });
          await probe.gone();
        });
        assert.equal(
          read(stderr),
          `posix-daemonize: EACCES: permission denied, unlink '${pidfile}'\n`,
        );
        assert.equal(read(pidfile), '');
        assert.equal(Pidfile.holder(pidfile), null);
      }),
  );
});

/** No descriptor of a directory is left, which would lead out of the root. */
function assertNoWayOut(pid: number): void {
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const path = `/proc/${pid}/fd/${fd}`;
    const stats = statSync(path, { throwIfNoEntry: false }); // closed meanwhile
    assert.ok(!stats?.isDirectory(), `${fd} is a directory`);
  }
}
