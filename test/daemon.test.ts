import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { places } from './fixtures/daemon.cjs';
import {
  type Launched,
  type LaunchOptions,
  type Probe,
  type Report,
  within,
} from './helpers/launch';
import { needsCompiler, Preload } from './helpers/preload';
import { processesMarked } from './helpers/processes';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

const O_APPEND = 0o2000;

/** Of each launch on a terminal that closes, on each Node.js version. */
const HANGUPS = 50;

interface Self extends Report {
  nodePpid: number;
  nodeCwd: string;
  heapLimit: number;
  env: Record<string, string>;
  context: { pid: number; detached: boolean };
}

/** A report of reaper.py. */
interface End {
  orphan: number;
  status?: number;
  signal?: number;
}

interface Row {
  name: string;
  does: string;
  source: string;
}

let number = 0;
let preload: Preload | undefined;

if (!needsCompiler.skip) preload = new Preload('faults');
after(() => preload?.remove());

forEachProgram('daemon', (program) => {
  /** Becomes a daemon with these options; looks at it before and after. */
  function become<T = void>(
    options: object,
    use: (daemon: Self, before: Self, launched: Launched) => T | Promise<T>,
    launch: LaunchOptions = {},
  ): Promise<T> {
    return program.play(
      'become',
      [options],
      launch,
      async (probe, launched) => {
        const before = await nextOf(probe);
        const daemon = await nextOf(probe);
        assert.equal(launched.status, 0, launched.stderr + launched.stdout);
        return use(daemon, before, launched);
      },
    );
  }

  test('launched on a terminal it becomes what APUE figure 13.1 makes, with all threads', () =>
    become(
      {},
      (daemon, before, { stdout }) => {
        assert.equal(stdout, '', 'nothing appears on the terminal');

        assert.notEqual(before.tty, null);
        assert.equal(daemon.tty, null, 'no controlling terminal');
        assert.notEqual(daemon.sid, before.sid, 'a session of its own');
        assert.notEqual(daemon.sid, daemon.pid, 'not a session leader');
        assert.equal(daemon.pgid, daemon.sid);
        assert.ok(!existsSync(`/proc/${daemon.sid}`), 'the leader is gone');
        assert.equal(daemon.ppid, before.ppid, 'its parent is the reaper');
        assert.equal(daemon.nodePpid, daemon.ppid);
        assert.notEqual(daemon.pid, before.pid);
        assert.equal(daemon.nodePid, daemon.pid);
        assert.deepEqual(daemon.context, {
          pid: daemon.pid,
          launcher: 'shell',
          detached: true,
        });

        assert.equal(daemon.cwd, '/');
        assert.equal(daemon.nodeCwd, '/');
        assert.equal(daemon.umask, 0);
        for (const fd of [0, 1, 2]) assert.equal(daemon.fds[fd], '/dev/null');
        assert.deepEqual(
          Object.values(daemon.fds).filter((path) => path === before.tty),
          [],
        );

        for (const what of [
          'root',
          'uids',
          'gids',
          'groups',
          'sigmask',
          'caught',
          'execArgv',
          'argv',
          'title',
        ] as const)
          assert.deepEqual(daemon[what], before[what], what);
        assert.deepEqual(
          daemon.ignored.toSorted(),
          [...before.ignored, 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].toSorted(),
        );
        assert.deepEqual(threadNames(daemon), threadNames(before));
        for (const { tid } of daemon.threads)
          assert.ok(!before.threads.some((old) => old.tid === tid));
      },
      { pty: true, reaper: true },
    ));

  test('the code before the call runs once, that after it too, and nobody else is left', async () => {
    const reports = await program.watch(
      'become',
      [{}],
      { reaper: true },
      async ({ probe, launched }) => {
        await launched;
        return probe.end<unknown>();
      },
    );
    const own = reports.filter((report) => !isEnd(report));
    const [before, daemon] = own as [Self, Self];
    assert.notEqual(before.pid, daemon.pid);
    assert.deepEqual(own.slice(2), ['alive']);
    assert.equal(endOf(daemon, reports)?.status, 0);
  });

  test('the options of Node.js are kept', () =>
    become(
      {},
      (daemon, before) => {
        assert.deepEqual(daemon.execArgv, ['--max-old-space-size=123']);
        assert.equal(daemon.heapLimit, before.heapLimit);
      },
      { execArgv: ['--max-old-space-size=123'] },
    ));

  for (const place of Object.keys(places)) {
    test(`a program may call from ${place}`, async () => {
      const launch = { input: 'input', reaper: true };
      await program.play(
        'callFrom',
        [place],
        launch,
        async (probe, launched) => {
          const { status, stdout, stderr } = launched;
          assert.equal(status, 0, stdout + stderr);
          const daemon = await nextOf(probe);
          assert.equal(daemon.nodePid, daemon.pid);
          assert.notEqual(daemon.sid, daemon.pid);
          const rest = await probe.end<unknown>();
          const alive = place === 'its last moment' ? [] : ['alive'];
          assert.deepEqual(
            rest.filter((report) => !isEnd(report)),
            alive,
          );
          assert.equal(endOf(daemon, rest)?.status, 0);
        },
      );
    });
  }

  /** Has /dev/zero open as 9 and 251, which Node.js marks differently. */
  const zeroAt9And251 = {
    through: ['bash', '-c', 'exec 9</dev/zero 251</dev/zero; exec "$0" "$@"'],
  };
  for (const [options, kept] of [
    [{}, []],
    [{ preserveFds: [9] }, ['9']],
    [{ preserveFds: [251] }, ['251']],
    [{ preserveFds: [9, 251] }, ['9', '251']],
    [{ closeFds: 'inherited' }, []],
    [{ closeFds: 'none' }, ['9', '251']],
  ] as const) {
    test(`of the inherited descriptors 9 and 251, ${JSON.stringify(options)} keeps ${kept.join(' and ') || 'none'}`, () =>
      become(
        options,
        (daemon, before) => {
          assert.equal(before.fds[9], '/dev/zero');
          assert.equal(before.fds[251], '/dev/zero');
          const open = Object.keys(daemon.fds).filter(
            (fd) => daemon.fds[fd] === '/dev/zero',
          );
          assert.deepEqual(open, kept);
          // Node.js has all its own, in its old places.
          for (const [fd, target] of Object.entries(before.fds)) {
            const [kind] = target.split(':', 1);
            // A ring of libuv may not be shared and is given up.
            if (Number(fd) > 2 && !/^\/dev\/zero|io_uring/.test(target))
              assert.equal(daemon.fds[fd]?.split(':', 1)[0], kind, fd);
          }
        },
        zeroAt9And251,
      ));
  }

  test('descriptors that systemd passes are kept, and named for the daemon', async () => {
    const shell =
      'exec 5</dev/zero 6</dev/zero; ' +
      'LISTEN_FDS=3 LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"';
    const launch = { through: ['bash', '-c', shell] };
    await program.play('activated', [], launch, async (probe, { status }) => {
      assert.equal(status, 0);
      const before = await probe.next<Self>();
      const daemon = await probe.next<Self>();
      assert.equal(before.env.LISTEN_PID, String(before.pid));
      assert.deepEqual(daemon.env, {
        LISTEN_PID: String(daemon.pid),
        WATCHDOG_PID: String(daemon.pid),
      });
      // The test's own two, and one more.
      for (const fd of [3, 4, 5]) assert.equal(daemon.fds[fd], before.fds[fd]);
      assert.notEqual(daemon.fds[6], '/dev/zero');
    });
  });

  test('what systemd passed to another process is neither kept nor renamed', () =>
    become(
      {},
      (daemon, before) => {
        assert.equal(before.fds[5], '/dev/zero');
        assert.notEqual(daemon.fds[5], '/dev/zero');
        assert.deepEqual(daemon.env, { LISTEN_PID: '1', WATCHDOG_PID: '1' });
      },
      {
        through: ['bash', '-c', 'exec 5</dev/zero; exec "$0" "$@"'],
        env: { LISTEN_FDS: '3', LISTEN_PID: '1', WATCHDOG_PID: '1' },
      },
    ));

  test('umask, cwd and title are as the options say', () =>
    withFolder((folder) =>
      become({ umask: 0o27, cwd: folder, title: 'my daemon' }, (daemon) => {
        assert.equal(daemon.umask, 0o27);
        assert.equal(daemon.cwd, folder);
        assert.equal(daemon.nodeCwd, folder);
        assert.equal(daemon.title, 'my daemon');
        const shown = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
        assert.match(shown, /^my daemon\0/);
      }),
    ));

  test('a relative cwd and relative paths mean the folder of the launch', () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'sub'));
      await become(
        { cwd: 'sub', stdout: 'log' },
        (daemon) => {
          assert.equal(daemon.cwd, join(folder, 'sub'));
          assert.equal(daemon.fds[1], join(folder, 'log'));
        },
        { cwd: folder },
      );
    }));

  test('log files have mode 0640 and are appended to', () =>
    withFolder(async (folder) => {
      const log = join(folder, 'log');
      const old = join(folder, 'old');
      const input = join(folder, 'input');
      writeFileSync(old, 'old\n', { mode: 0o600 });
      writeFileSync(input, 'input\n');
      const options = { stdin: input, stdout: log, stderr: old };
      await program.play('copy', [options], {}, async (probe, { status }) => {
        assert.equal(status, 0);
        const { pid, fds } = await probe.next<Self>();
        assert.deepEqual([fds[0], fds[1], fds[2]], [input, log, old]);
        assert.equal(statSync(log).mode & 0o7777, 0o640);
        assert.equal(statSync(old).mode & 0o7777, 0o600);
        assert.equal(readFileSync(log, 'utf8'), 'input\nout\n');
        assert.equal(readFileSync(old, 'utf8'), 'old\nerr\n');
        for (const fd of [1, 2]) assert.ok(flags(pid, fd) & O_APPEND);
        assert.equal(flags(pid, 0) & 0o3, 0, 'stdin is for reading');
      });
    }));

  test("the mode of a log file obeys the daemon's umask", () =>
    withFolder(async (folder) => {
      const stdout = join(folder, 'log');
      await become({ umask: 0o77, stdout }, () => {
        assert.equal(statSync(stdout).mode & 0o7777, 0o600);
      });
    }));

  test('a target may be a descriptor of the program, or one of the other two', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'log');
      const scenario = 'into a descriptor';
      await program.play(scenario, [file], {}, async (probe, { status }) => {
        assert.equal(status, 0);
        const { fds } = await probe.next<Self>();
        assert.deepEqual([fds[1], fds[2]], [file, file]);
        assert.equal(readFileSync(file, 'utf8'), 'out\nerr\n');
      });
    }));

  test("what is 'inherit' leads where it led", () =>
    become(
      { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
      (daemon, before) => {
        for (const fd of [0, 1, 2])
          assert.equal(daemon.fds[fd], before.fds[fd]);
      },
      { until: 'exit' },
    ));

  test('SIGHUP ends the daemon, as it would have ended the program', async () => {
    const options = { reaper: true };
    await program.play('sighup', [false], options, async (probe) => {
      const daemon = await nextOf(probe);
      assert.ok(!daemon.ignored.includes('SIGHUP'));
      process.kill(daemon.pid, 'SIGHUP');
      const ends = await probe.gone<unknown>();
      assert.equal(endOf(daemon, ends)?.signal, constants.signals.SIGHUP);
    });
  });

  test('a listener for SIGHUP that was there before the call hears it in the daemon', () =>
    program.play('sighup', [true], {}, async (probe) => {
      const { pid } = await probe.next<Self>();
      process.kill(pid, 'SIGHUP');
      assert.equal(await probe.next<unknown>(), 'SIGHUP');
    }));

  test('children are waited for, or left to the kernel where SIGCHLD is ignored', async () => {
    for (const sigchld of ['default', 'ignore']) {
      await program.play('children', [sigchld], {}, async (probe) => {
        const { pid, status } = await probe.next<{
          pid: number;
          status: unknown;
        }>();
        assert.deepEqual(
          status,
          sigchld === 'ignore' ? 'ECHILD' : { pid, exitCode: 7, signal: null },
        );
      });
    }
  });

  test('the moment the launching process leaves, all is done', () =>
    withFolder(async (folder) => {
      const stdout = join(folder, 'log');
      const title = `all done ${process.pid}-${number++}`;
      const env = { ALL_DONE: title };
      const options = { cwd: folder, stdout, title };
      await program.play('become', [options], { env }, (_, { status }) => {
        // Without waiting for anything.
        const [daemon] = processesMarked('ALL_DONE', title);
        assert.ok(daemon);
        assert.equal(status, 0);
        assert.equal(daemon.command, title);
        const proc = `/proc/${daemon.pid}`;
        assert.equal(readlinkSync(`${proc}/cwd`), folder);
        assert.equal(readlinkSync(`${proc}/fd/1`), stdout);
        assert.equal(readlinkSync(`${proc}/fd/2`), '/dev/null');
      });
    }));

  test(
    'the launching process stays until all is done',
    needsCompiler,
    async () => {
      const fifo = preload!.makeFifo(`hold-${number++}`);
      const through = preload!.command({ CHDIR_HOLD: fifo });
      await program.watch(
        'become',
        [{}],
        { through },
        async ({ process: { pid }, probe, launched }) => {
          assert.equal((await nextOf(probe)).pid, pid);
          const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
          try {
            const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
            assert.doesNotMatch(stat, /\) [ZX] /);
            await writer.write('.');
          } finally {
            await writer.close();
          }
          assert.equal((await launched).status, 0);
          assert.equal((await nextOf(probe)).cwd, '/');
        },
      );
    },
  );

  test(
    'a launching process that is ended while it waits leaves the daemon alone',
    needsCompiler,
    async () => {
      const fifo = preload!.makeFifo(`hold-${number++}`);
      const through = preload!.command({ CHDIR_HOLD: fifo });
      await program.watch(
        'become',
        [{}],
        { through },
        async ({ process: child, probe, launched }) => {
          await nextOf(probe);
          const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
          try {
            child.kill('SIGINT');
            await once(child, 'exit');
            await writer.write('.');
          } finally {
            await writer.close();
          }
          assert.equal((await launched).signal, 'SIGINT');
          assert.equal((await nextOf(probe)).cwd, '/');
        },
      );
    },
  );

  for (const options of [
    {},
    {
      umask: 0o27,
      cwd: '/tmp',
      stdin: '/dev/zero',
      stderr: 'inherit',
      closeFds: 'none',
      sigchld: 'ignore',
      title: 'explained',
    },
    { stdout: '/dev/full', stderr: 1, preserveFds: [9] },
  ] as const) {
    test(
      `explain(${JSON.stringify(options)}) is what is done, in this order`,
      needsRoot,
      () =>
        withFolder((folder) =>
          explained(program, options, join(folder, 'trace')),
        ),
    );
  }

  const launches = HANGUPS / 2;
  test(`${launches} of ${launches} daemons live whose terminal is closed the moment the launching process leaves`, async () => {
    // As the leader of the terminal's session, and as the child of a shell.
    const shell = ['sh', '-c', '"$0" "$@"; exit $?'];
    const launch = async (index: number): Promise<void> => {
      const options: LaunchOptions = {
        pty: 'hangup',
        ...(index % 2 === 1 && { through: shell }),
      };
      const rest = await program.watch(
        'become',
        [{}],
        options,
        async ({ probe, launched }) => {
          assert.equal((await launched).status, 0);
          return probe.end<unknown>();
        },
      );
      assert.equal(rest.length, 3);
      assert.equal(rest[2], 'alive');
      assert.equal((rest[1] as Self).tty, null);
    };
    await Promise.all(
      [0, 1].map(async (first) => {
        for (let index = first; index < launches; index += 2)
          await launch(index);
      }),
    );
  });
});

/** The next report that is not of reaper.py. */
async function nextOf(probe: Probe): Promise<Self> {
  for (;;) {
    const report = await probe.next<Self>();
    if (!isEnd(report)) return report;
  }
}

/** How a process ended, among what reaper.py and others reported. */
function endOf({ pid }: Self, reports: unknown[]): End | undefined {
  return reports.filter(isEnd).find(({ orphan }) => orphan === pid);
}

function isEnd(report: unknown): report is End {
  return typeof report === 'object' && report !== null && 'orphan' in report;
}

/** Compares what `explain` tells with what strace sees. */
async function explained(
  program: Program,
  options: {
    umask?: number;
    cwd?: string;
    stdin?: string;
    stdout?: string;
    stderr?: string | number;
    preserveFds?: readonly number[];
    closeFds?: string;
    title?: string;
  },
  file: string,
): Promise<void> {
  const calls = 'umask,open,openat,rt_sigaction,clone,fork,vfork,setsid,chdir';
  const strace = ['strace', '-D', '-f', '-qq', '-o', file, '-e'];
  const trace = `${calls},close,dup2,dup3,prctl,write`;
  const through = [
    ...['bash', '-c', 'exec 9</dev/zero; exec "$0" "$@"'],
    ...[...strace, trace],
  ];
  const {
    umask = 0,
    cwd = '/',
    stdin = '/dev/null',
    stdout = '/dev/null',
  } = options;
  const { title = '' } = options;
  const closesAny =
    options.closeFds !== 'none' && !options.preserveFds?.includes(9);
  const proof: Record<string, RegExp> = {
    umask: new RegExp(`umask\\(0*${umask.toString(8)}\\b`),
    open: new RegExp(`openat\\(.*"${stdin}"`),
    'sighup aside': /rt_sigaction\(SIGHUP, .*SIG_IGN/,
    fork: /clone\(.*SIGCHLD/,
    setsid: /setsid\(/,
    refork: /clone\(.*SIGCHLD/,
    chdir: new RegExp(`chdir\\("${cwd}"`),
    ...(closesAny && { close: /close\(9\b/ }),
    stdio: /dup[23]\(\d+, 0/,
    sigchld: /rt_sigaction\(SIGCHLD, .*SIG_IGN/,
    title: new RegExp(`prctl\\(PR_SET_NAME, "${title}"`),
    'sighup back': /rt_sigaction\(SIGHUP, .*SIG_DFL/,
    ready: /write\(\d+, "\\0", 1\b/,
  };
  await program.play(
    'explain',
    [options],
    { through, until: 'exit' },
    async (probe) => {
      const rows = await probe.next<Row[]>();
      const daemon = await probe.next<Self>();
      await probe.end();
      const lines = readFileSync(file, 'utf8').split('\n');
      let at = lines.findIndex((line) => line.includes('umask('));
      for (const { name, does, source } of rows) {
        assert.ok(does && source);
        const seen = proof[name];
        if (!seen) continue;
        const next = lines.findIndex((line, i) => i >= at && seen.test(line));
        assert.ok(next >= 0, `${name} is done, at its place`);
        at = next + 1;
      }
      const names = rows.map(({ name }) => name);
      for (const [name, option] of [
        ['sigchld', 'sigchld'],
        ['title', 'title'],
      ] as const)
        assert.equal(names.includes(name), option in options);
      assert.equal(names.includes('close'), options.closeFds !== 'none');
      const does = (name: string): string =>
        rows.find((row) => row.name === name)!.does;
      assert.ok(does('umask').includes(umask.toString(8)));
      assert.ok(does('chdir').includes(cwd));
      assert.ok(does('stdio').includes(`1: ${stdout}`));
      assert.equal(daemon.cwd, cwd);
      assert.equal(daemon.fds[0], stdin);
      assert.equal(daemon.fds[1], stdout);
    },
  );
}

function threadNames({ threads }: Report): string[] {
  return threads.map(({ comm }) => comm).sort();
}

/** The O_ flags of an open descriptor. */
function flags(pid: number, fd: number): number {
  const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
  return Number.parseInt(/^flags:\s+(\d+)/m.exec(info)![1]!, 8);
}
