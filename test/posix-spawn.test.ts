import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitpid } from '../src/posix/process';
import { signal } from '../src/posix/signals';
import { spawn, type SpawnOptions } from '../src/posix/spawn';
import { withFolder } from './helpers/scenario';

/** What a shell script prints that was started with these options. */
async function output(
  script: string,
  options: SpawnOptions = {},
): Promise<string[]> {
  return withFolder((folder) => {
    const file = join(folder, 'out');
    const fd = openSync(file, 'w');
    const [input, , ...others] = options.fds ?? [0, 1, 2];
    try {
      const pid = spawn('sh', ['sh', '-c', script, 'word'], {
        ...options,
        fds: [input!, fd, ...others],
      });
      assert.deepEqual(waitpid(pid), { pid, exitCode: 0, signal: null });
    } finally {
      closeSync(fd);
    }
    return Promise.resolve(readFileSync(file, 'utf8').trim().split('\n'));
  });
}

const children = (): string =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');

test('a program gets its arguments, environment, directory and mask', async () => {
  const cwd = realpathSync('/usr/lib');
  const lines = await output('echo $0; env; pwd -P; umask', {
    env: { PATH: process.env.PATH, ONE: '1', TWO: undefined },
    cwd,
    umask: 0o027,
  });
  assert.equal(lines[0], 'word');
  assert.ok(lines.includes('ONE=1'));
  assert.ok(!lines.some((line) => line.startsWith('TWO')));
  assert.deepEqual(lines.slice(-2), [cwd, '0027']);
});

test('descriptors stand where they are wanted, also when they trade places', async () => {
  await withFolder(async (folder) => {
    const [a, b] = ['a', 'b'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const [first, second] = [openSync(a, 'w'), openSync(b, 'w')];
    const length = Math.max(first, second) + 1;
    const fds = Array.from({ length }, () => -1);
    fds[first] = second;
    fds[second] = first;
    const script = `readlink /proc/self/fd/${first} /proc/self/fd/${second}`;
    assert.deepEqual(
      await output(script, { fds: [0, 1, 2, ...fds.slice(3)] }),
      [b, a],
    );
    for (const fd of [first, second]) closeSync(fd);
  });
});

test('a program inherits nothing that Node has opened for itself', async () => {
  await withFolder(async (folder) => {
    const fd = openSync(join(folder, 'mine'), 'w');
    const links = await output('readlink /proc/self/fd/* || :');
    assert.ok(!links.some((link) => link.endsWith('/mine')));
    closeSync(fd);
  });
});

test('a standard stream blocks, also where Node has made it non-blocking', async () => {
  await withFolder(async (folder) => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const [flags] = await output('cut -f2 /proc/$$/fdinfo/0 | sed -n 2p', {
      fds: [fd, 1, 2],
    });
    closeSync(fd);
    assert.equal(Number.parseInt(flags!, 8) & constants.O_NONBLOCK, 0);
  });
});

test('signals are at their default and not blocked; what is ignored stays so', async () => {
  const listener = (): void => {};
  process.on('SIGUSR1', listener);
  signal('SIGALRM', 'ignore');
  const status = await output('cat /proc/self/status');
  signal('SIGALRM', 'default');
  process.off('SIGUSR1', listener);
  const mask = (name: string): bigint => {
    const line = status.find((line) => line.startsWith(name))!;
    return BigInt(`0x${line.split('\t')[1]}`);
  };
  assert.equal(mask('SigBlk'), 0n);
  assert.equal(mask('SigCgt'), 0n);
  const alarm = 1n << BigInt(os.signals.SIGALRM - 1);
  assert.equal(mask('SigIgn') & alarm, alarm);
  const pipe = 1n << BigInt(os.signals.SIGPIPE - 1);
  assert.equal(mask('SigIgn') & pipe, 0n);
});

for (const [group, expected] of [
  ['parent', { leadsGroup: false, leadsSession: false }],
  ['own', { leadsGroup: true, leadsSession: false }],
  ['session', { leadsGroup: true, leadsSession: true }],
] as const) {
  test(`the group '${group}' is the one it is started in`, async () => {
    const [stat] = await output('echo "$$ $(cut -d" " -f5,6 /proc/$$/stat)"', {
      group,
    });
    const [pid, pgid, sid] = stat!.split(' ');
    assert.deepEqual(
      { leadsGroup: pid === pgid, leadsSession: pid === sid },
      expected,
    );
  });
}

test('what keeps a program from running is thrown, and no child is left', () => {
  const before = children();
  for (const [file, options, expected] of [
    [
      'no-such-program',
      {},
      "ENOENT: no such file or directory, execvp 'no-such-program'",
    ],
    ['/etc/passwd', {}, "EACCES: permission denied, execvp '/etc/passwd'"],
    [
      'true',
      { cwd: '/nonexistent' },
      "ENOENT: no such file or directory, chdir '/nonexistent'",
    ],
    ['true', { fds: [0, 1, 999_999] }, 'EBADF: bad file descriptor, dup2'],
  ] as const) {
    assert.throws(() => spawn(file, [file], options), {
      name: 'PosixError',
      message: expected,
    });
  }
  assert.equal(children(), before);
});

test('wrong arguments are refused before anything is started', () => {
  const before = children();
  for (const [argv, options, code] of [
    [[], {}, 'ERR_INVALID_ARG_VALUE'],
    [['true'], { umask: 0o1000 }, 'ERR_OUT_OF_RANGE'],
    [['true'], { fds: [0, -2] }, 'ERR_OUT_OF_RANGE'],
    [['true'], { group: 'other' }, 'ERR_INVALID_ARG_VALUE'],
    [['true'], { deathSignal: 'SIGNONE' }, 'ERR_INVALID_ARG_VALUE'],
    [['true'], { detached: true }, 'ERR_INVALID_ARG_VALUE'],
    [['true'], { env: { 'A=B': '1' } }, 'ERR_INVALID_ARG_VALUE'],
  ] as const) {
    assert.throws(() => spawn('true', argv, options as SpawnOptions), { code });
  }
  assert.equal(children(), before);
});
