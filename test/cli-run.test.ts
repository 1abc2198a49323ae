import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { cli, cliPath, runToEnd, withPlace } from './helpers/cli';
import { nodes } from './helpers/nodes';
import { needsRoot, until } from './helpers/scenario';
import { needsRootAnd } from './helpers/surroundings';

const forEver = ['sleep', '1000'];
const status = (pid: number): Record<string, string> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => line.split(/:\s*/) as [string, string]),
  );
const stat = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');

for (const node of nodes)
  test(`run leaves nothing but the command, in a session of its own: Node.js ${node.version}`, () =>
    withPlace(async (place) => {
      const ended = await place.run([], forEver, { node });
      assert.deepEqual([ended.status, ended.stdout, ended.stderr], [0, '', '']);
      const { pid } = place;
      assert.equal(Pidfile.holder(place.pidfile), pid);
      assert.equal(
        readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
        'sleep\x001000\x00',
      );
      const [, ppid, , session, tty] = stat(pid).map(Number);
      assert.notEqual(session, pid, 'it leads its session');
      assert.ok(!existsSync(`/proc/${session}`), 'the leader is there');
      assert.equal(tty, 0);
      const parent = readFileSync(`/proc/${ppid}/cmdline`, 'utf8');
      assert.ok(!parent.includes('cli.js'), parent);
      const { SigIgn, SigBlk, Umask, Threads } = status(pid);
      const nothing = '0000000000000000';
      assert.deepEqual(
        [SigIgn, SigBlk, Umask, Threads],
        [nothing, nothing, '0022', '1'],
      );
      const fds = await listFds(pid);
      assert.deepEqual(fds, ['/dev/null', place.log, place.log]);
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
    }));

/** By descriptor, once the dynamic loader has closed its own. */
async function listFds(pid: number): Promise<string[]> {
  await until('three descriptors', () => !existsSync(`/proc/${pid}/fd/3`));
  return [0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}

test('a second run while the first lives is refused; --lsb calls that a success', () =>
  withPlace(async (place) => {
    await place.run([], forEver);
    const { pid, pidfile } = place;
    const message = `posix-daemonize: already running with pid ${pid}, which holds '${pidfile}'\n`;
    const again = await place.run([], forEver);
    assert.deepEqual([again.status, again.stderr], [1, message]);
    const lsb = await place.run(['--lsb'], forEver);
    assert.deepEqual([lsb.status, lsb.stderr], [0, message]);
    assert.equal(place.pid, pid);
    await place.end();
    assert.equal((await place.run([], forEver)).status, 0);
    assert.notEqual(place.pid, pid);
  }));

test('options shape the process', () =>
  withPlace(async (place) => {
    writeFileSync(join(place.folder, 'kept'), '');
    const kept = openSync(join(place.folder, 'kept'), 'r');
    const closed = openSync('/etc/hostname', 'r');
    const options = [
      ...['--umask', '027', '--cwd', place.folder, '--title', 'titled'],
      ...['--env', 'PATH,KEPT', '--set-env', 'A=1=2', '--set-env', 'B='],
      ...['--preserve-fds', '4', '--sighup', 'ignore', '--no-core-dumps'],
      ...['--stdin', '/etc/passwd', '--stderr', join(place.folder, 'err')],
    ];
    const script =
      'echo "$0"; env | sort; read line; echo "$line"; ls -l /proc/self/fd; ulimit -c; echo wrong >&2; echo end; exec sleep 1000';
    const ended = await place.run(options, ['sh', '-c', script], {
      fds: [closed, kept],
      env: { KEPT: 'yes', DROPPED: 'yes' },
    });
    for (const fd of [kept, closed]) closeSync(fd);
    assert.equal(ended.status, 0, ended.stderr);
    const said = await place.says('\nend\n');
    const { pid } = place;
    assert.match(said, /^titled\n/);
    for (const line of ['A=1=2', 'B=', 'KEPT=yes', '0'])
      assert.ok(said.split('\n').includes(line), `${line} in ${said}`);
    assert.ok(!said.includes('DROPPED'));
    assert.match(said, /^root:/m);
    assert.match(said, /4 -> .*kept$/m);
    assert.ok(!said.includes('/etc/hostname'));
    assert.equal(readFileSync(join(place.folder, 'err'), 'utf8'), 'wrong\n');
    await until('sleep', () =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'),
    );
    assert.equal(status(pid).Umask, '0027');
    assert.equal(status(pid).SigIgn, '0000000000000001');
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), place.folder);
  }));

test('options after the command belong to the command, with -- and without', () =>
  withPlace(async (place) => {
    const args = ['--umask', '--', '-x'];
    for (const before of [['--'], []]) {
      const files = ['--stdout', place.log];
      const words = ['printf', '<%s>', ...args];
      const { status: code } = await cli([
        'run',
        ...files,
        ...before,
        ...words,
      ]);
      assert.equal(code, 0);
    }
    await place.says('<--umask><--><-x><--umask><--><-x>');
  }));

test('--user gives up root for good, and owns the log', needsRoot, () =>
  withPlace(async (place) => {
    chmodSync(place.folder, 0o755);
    const ended = await place.run(['--user', 'nobody'], forEver);
    assert.equal(ended.status, 0, ended.stderr);
    const { pid, pidfile, log } = place;
    const { Uid, Gid, CapEff } = status(pid);
    const { uid } = statSync(log);
    assert.equal(Uid, Array(4).fill(uid).join('\t'));
    assert.ok(!Gid!.split('\t').includes('0'));
    assert.equal(CapEff, '0000000000000000');
    assert.notEqual(uid, 0);
    assert.equal(statSync(pidfile).uid, 0, 'he is not to choose the pid in it');
  }),
);

test(
  '--chroot looks for the command below the new root',
  needsRootAnd(['ldd']),
  () =>
    withPlace(async (place) => {
      const jail = join(place.folder, 'jail');
      mkdirSync(join(jail, 'bin'), { recursive: true });
      // The program, and the libraries that it is linked with.
      const copy =
        'cp -L "$(command -v sleep)" "$1/bin/only-here" && ldd "$1/bin/only-here" | grep -o "/[^ ]*" | xargs cp -L --parents -t "$1"';
      const { status, stderr } = await runToEnd(['sh', '-c', copy, '-', jail]);
      assert.deepEqual([status, stderr], [0, '']);
      const name = ['--chroot', jail, '--set-env', 'PATH=/bin'];
      const ended = await place.run(name, ['only-here', '1000']);
      assert.equal(ended.status, 0, ended.stderr);
      assert.equal(readlinkSync(`/proc/${place.pid}/root`), jail);
      const missing = await cli(['run', ...name, '--', 'ls']);
      assert.deepEqual(
        [missing.status, missing.stderr.split('\n')[0]],
        [5, `posix-daemonize: no such command: 'ls' below ${jail}`],
      );
    }),
);

describe('a command that cannot be executed', () => {
  for (const [title, file, code, message] of [
    [
      'is not in PATH',
      'no-such-command',
      5,
      "no such command: 'no-such-command'",
    ],
    ['is not there', '/no/such', 5, "no such command: '/no/such'"],
    [
      'is not executable',
      '/etc/passwd',
      4,
      "'/etc/passwd' may not be executed",
    ],
    ['is a directory', '/etc', 4, "'/etc' may not be executed"],
  ] as const)
    test(`${title}: status ${code}, and nothing was done`, () =>
      withPlace(async (place) => {
        const ended = await place.run([], [file]);
        assert.equal(ended.status, code);
        const [first] = ended.stderr.split('\n');
        assert.equal(first, `posix-daemonize: ${message}`);
        assert.ok(!place.hasPidfile && !existsSync(place.log));
      }));

  test('lacks its interpreter: status 5, and no PID file', () =>
    withPlace(async (place) => {
      const file = join(place.folder, 'script');
      writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 });
      const ended = await place.run([], [file]);
      assert.equal(ended.status, 5);
      assert.match(ended.stderr, /ENOENT.*\n.*first line \(#!\)/);
      assert.ok(!place.hasPidfile);
    }));
});

test('--chmod makes a start script executable, for those who may read it', () =>
  withPlace(async (place) => {
    const file = join(place.folder, 'start');
    writeFileSync(file, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o640 });
    chmodSync(file, 0o640);
    assert.equal((await place.run([], [file])).status, 4);
    assert.equal((await place.run(['--chmod'], [file])).status, 0);
    assert.equal(statSync(file).mode & 0o777, 0o750);
  }));

test('a log that cannot be opened is an error, and nothing was started', () =>
  withPlace(async (place) => {
    const log = join(place.folder, 'missing/log');
    const ended = await place.run(['--stdout', log], forEver);
    assert.equal(ended.status, 1);
    assert.match(
      ended.stderr,
      /^posix-daemonize: ENOENT: .*missing\/log'\n {2}it, or a folder above it, /,
    );
    assert.ok(!place.hasPidfile);
  }));

test('an argument that names a file only here gets a warning', () =>
  withPlace(async (place) => {
    writeFileSync(join(place.folder, 'app.sh'), '');
    const { stderr } = await place.run([], ['sh', 'app.sh'], {
      cwd: place.folder,
    });
    assert.match(stderr, /^posix-daemonize: warning: 'app.sh' is a file here/);
    const command = ['sh', 'app.sh'];
    const there = await cli(['run', '--cwd', '.', ...command], {
      cwd: place.folder,
    });
    assert.deepEqual([there.status, there.stderr], [0, '']);
  }));

test('--foreground executes the command in this very process', () =>
  withPlace(async (place) => {
    const script = 'echo $$; exit 7';
    const ended = await runToEnd([
      ...['sh', '-c', 'echo $$; exec "$@"', '-', process.execPath, cliPath],
      ...['run', '--foreground', '--pidfile', place.pidfile],
      ...['--', 'sh', '-c', script],
    ]);
    assert.equal(ended.status, 7);
    const [before, after] = ended.stdout.split('\n');
    assert.equal(after, before);
    assert.equal(place.pid, Number(before));
    assert.equal(Pidfile.holder(place.pidfile), null);
  }));

test('--dry-run tells every step, and takes none', () =>
  withPlace(async (place) => {
    const ended = await place.run(['--dry-run', '--ready', 'notify'], forEver);
    assert.deepEqual([ended.status, ended.stderr], [0, '']);
    const names = ended.stdout.match(/^\S+/gm);
    for (const name of ['pidfile', 'fork', 'setsid', 'refork', 'stdio'])
      assert.ok(names?.includes(name), name);
    assert.match(ended.stdout, /variables +set NOTIFY_SOCKET\n/);
    assert.match(
      ended.stdout,
      /exec +execve\('.*\/sleep', \['sleep', '1000'\]\)/,
    );
    assert.ok(!place.hasPidfile && !existsSync(place.log));
  }));

test(
  '--dry-run tells what a start would fail at, and makes nothing',
  needsRoot,
  () =>
    withPlace(async (place) => {
      const made = join(place.folder, 'made');
      const root = join(place.folder, 'root');
      mkdirSync(root);
      copyFileSync('/bin/true', join(root, 'true'));
      const name = `posix-daemonize-test-${process.pid}`;
      for (const [options, status, why] of [
        [['--name', name, '--stdout', made], 0, /^$/],
        [['--cwd', made], 1, /ENOENT: .*, chdir '.*\/made'/],
        [['--pidfile', `${made}/pid`], 1, /ENOENT: .*, open '.*\/made\/pid'/],
        [['--stderr', `${made}/log`], 1, /ENOENT: .*, open '.*\/made\/log'/],
        [['--stdin', made], 1, /ENOENT: .*, (stat|open) '.*\/made'/],
        [['--chroot', root, '--cwd', '/made'], 1, /ENOENT: .*, chdir '\/made'/],
      ] as const) {
        const isBelow = options[0] === '--chroot';
        const file = isBelow ? '/true' : '/bin/true';
        const ended = await cli(['run', '--dry-run', ...options, '--', file]);
        assert.equal(ended.status, status, ended.stderr);
        assert.match(ended.stderr, why);
        assert.match(ended.stdout, /^exec /m);
      }
      assert.ok(!existsSync(made) && !existsSync(`/run/${name}.pid`));
    }),
);
