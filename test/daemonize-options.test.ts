import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, root, until, withFolder } from './helpers/scenario';

const { SIGCHLD } = constants.signals;

const probeFds = ['REPORT_FD', 'DEADMAN_FD'];

const read = (path: string): string => readFileSync(path, 'utf8');

const has = (program: string): boolean =>
  spawnSync(program, ['--version']).error === undefined;

const unlimited = ['prlimit', '--core=unlimited'];

/** The kernel would put a core dump into the working directory. */
const mayDump =
  /^[^|/]+$/.test(read('/proc/sys/kernel/core_pattern').trim()) &&
  spawnSync(unlimited[0]!, [unlimited[1]!, 'true']).status === 0;

interface Row {
  name: string;
  does: string;
}

forEachProgram('daemonize', (program) => {
  test('env keeps what it names and the protocol of a supervisor, for children too', () => {
    const env = {
      KEPT: 'a=b\nc',
      EMPTY: '',
      GONE: 'secret',
      WATCHDOG_USEC: '1000000',
      INVOCATION_ID: '0123456789abcdef0123456789abcdef',
      LISTEN_FDNAMES: 'a:b',
    };
    const kept = [...probeFds, 'KEPT', 'EMPTY', 'NOT_SET'];
    return program.play(
      'environment',
      [{ env: kept, detach: true }],
      // It is meant for the process that sh becomes.
      { env, through: ['sh', '-c', 'WATCHDOG_PID=$$ exec "$0" "$@"'] },
      async (probe, { status, stderr }) => {
        assert.deepEqual([status, stderr], [0, '']);
        const { environ, env, pid } = await probe.next<{
          environ: string;
          env: Record<string, string>;
          pid: number;
        }>();
        const { REPORT_FD, DEADMAN_FD, ...own } = env;
        assert.ok(REPORT_FD && DEADMAN_FD);
        assert.deepEqual(own, {
          KEPT: 'a=b\nc',
          EMPTY: '',
          WATCHDOG_USEC: '1000000',
          WATCHDOG_PID: String(pid),
          INVOCATION_ID: '0123456789abcdef0123456789abcdef',
          LISTEN_FDNAMES: 'a:b',
        });
        const child = environ.split('\0').slice(0, -1).sort();
        const expected = Object.entries(env).map((pair) => pair.join('='));
        assert.deepEqual(child, expected.sort());
      },
    );
  });

  test('without core dumps the limit is 0 and a crash leaves none, as another user and with readiness too', () =>
    withFolder(async (folder) => {
      chmodSync(folder, 0o777);
      const crash = (options: object, cwd: string): Promise<string> =>
        program.play(
          'manual',
          [{ ...options, cwd }],
          { through: mayDump ? unlimited : [] },
          async (probe, { status, stderr }) => {
            assert.deepEqual([status, stderr], [0, '']);
            const { pid } = await probe.next<{ pid: number }>();
            const limits = read(`/proc/${pid}/limits`);
            process.kill(pid, 'SIGSEGV');
            await probe.gone();
            return /^Max core file size +(.*?) *bytes/m.exec(limits)![1]!;
          },
        );
      const cwd = join(folder, 'none');
      mkdirSync(cwd);
      chmodSync(cwd, 0o777);
      const user = root ? { user: 'nobody', group: 65_534 } : {};
      for (const options of [{}, user])
        assert.match(
          await crash({ ...options, coreDumps: false }, cwd),
          /^0 +0$/,
        );
      assert.deepEqual(readdirSync(cwd), []);
      // Where the machine would leave one here, it does so by default.
      if (!mayDump) return;
      const dumped = join(folder, 'dumped');
      mkdirSync(dumped);
      assert.match(await crash({}, dumped), /^unlimited/);
      assert.equal(readdirSync(dumped).length, 1);
    }));

  test("with sigchld: 'ignore' the kernel reaps a copy, otherwise it waits for its parent", async () => {
    for (const sigchld of ['ignore', 'default'] as const)
      await program.play('copy', [{ sigchld }], {}, async (probe) => {
        const { pid, copy } = await probe.next<{ pid: number; copy: number }>();
        assert.equal(ignores(pid, SIGCHLD), sigchld === 'ignore');
        const state = sigchld === 'ignore' ? undefined : 'Z';
        await until('the end of the copy', () => stateOf(copy) === state);
      });
  });

  test("child_process sees its children exit with sigchld: 'ignore' too, which ends by that", () =>
    program.play('child', [{ sigchld: 'ignore' }], {}, async (probe) => {
      const { pid, child } = await probe.next<{ pid: number; child: number }>();
      assert.deepEqual(await probe.next(), { exit: 0 });
      assert.equal(stateOf(child), undefined);
      assert.equal(ignores(pid, SIGCHLD), false);
    }));

  test("closeFds: 'none' keeps what was inherited, and notificationFd gets its newline and is closed", () =>
    withFolder((folder) => {
      const told = join(folder, 'told');
      const script = 'exec 8</etc/hostname 9>"$0"; exec "$@"';
      const through = ['bash', '-c', script, told];
      const options = {
        closeFds: 'none',
        notificationFd: 9,
        title: 'my-clock',
      };
      return program.play(
        'plain',
        [options],
        { through },
        async (probe, { status, stderr }) => {
          assert.deepEqual([status, stderr], [0, '']);
          assert.equal(read(told), '\n');
          const { pid, fds, title } = await probe.next();
          assert.equal(fds[8], '/etc/hostname');
          assert.equal(fds[9], undefined);
          assert.equal(title, 'my-clock');
          assert.equal(read(`/proc/${pid}/comm`), 'my-clock\n');
          assert.match(read(`/proc/${pid}/cmdline`), /^my-clock\0*$/);
        },
      );
    }));

  test('notificationFd is told when the daemon is ready, not before it is', () =>
    withFolder((folder) => {
      const told = join(folder, 'told');
      const through = ['bash', '-c', 'exec 9>"$0"; exec "$@"', told];
      const options = { notificationFd: 9 };
      return program.play(
        'fails',
        [{ ...options, pidfile: join(folder, 'p') }],
        { through },
        (_, launched) => {
          assert.equal(launched.status, 1);
          assert.equal(read(told), '');
        },
      );
    }));

  test(
    'explain() names each step of all options, and each is done, in this order',
    { skip: needsRoot.skip || (!has('strace') && 'install strace') },
    () => withFolder((folder) => explained(program, folder)),
  );
});

function ignores(pid: number, signal: number): boolean {
  const [, set] = /^SigIgn:\s*(\w+)$/m.exec(read(`/proc/${pid}/status`))!;
  return (BigInt(`0x${set!}`) & (1n << BigInt(signal - 1))) !== 0n;
}

/** `'S'`, `'Z'` and so on; undefined once the process is gone and reaped. */
function stateOf(pid: number): string | undefined {
  try {
    return /^State:\s*(\w)/m.exec(read(`/proc/${pid}/status`))?.[1];
  } catch {
    return undefined;
  }
}

/** Compares what `explain` tells with what strace sees. */
async function explained(program: Program, folder: string): Promise<void> {
  chmodSync(folder, 0o755);
  const chroot = join(folder, 'root');
  mkdirSync(join(chroot, 'work'), { recursive: true });
  writeFileSync(join(folder, 'in'), '');
  const options = {
    umask: 0o27,
    user: 'nobody',
    group: 65_534,
    pidfile: { path: join(folder, 'run/x.pid'), mkdir: true },
    chroot,
    cwd: 'work',
    stdin: join(folder, 'in'),
    stdout: { path: join(folder, 'log/out'), mkdir: true },
    stderr: 1,
    env: probeFds,
    syslog: { ident: 'all', facility: 'local0' },
    sigchld: 'ignore',
    title: 'all-of-it',
    coreDumps: false,
    sighup: 'ignore',
    sigterm: 'default',
    detach: true,
    ready: 'manual',
    readyTimeout: 20_000,
    notificationFd: 9,
  };
  const proof: [name: string, seen: RegExp, does: RegExp][] = [
    ['umask', /umask\(027\)/, /027/],
    ['users', /openat\(.*passwd"/, /user nobody, group 65534/],
    ['pidfile', /flock\(\d+, LOCK_EX/, /run\/x\.pid/],
    [
      'open',
      /openat\(.*log\/out"/,
      /in, .*log\/out, descriptor 1; check .*work/,
    ],
    ['flush', /^/, /process\.stdout/],
    ['sighup aside', /rt_sigaction\(SIGHUP, .*SIG_IGN/, /SIGHUP/],
    ['fork', /clone\(.*SIGCHLD/, /fork/],
    ['setsid', /setsid\(/, /setsid/],
    ['refork', /clone\(.*SIGCHLD/, /fork/],
    ['signals', /rt_sigaction\(SIGTSTP, .*SIG_IGN/, /SIGTSTP/],
    ['environment', /^/, /keep REPORT_FD, DEADMAN_FD;/],
    ['syslog', /connect\(.*"\/dev\/log"/, /openlog\('all'\)/],
    ['chroot', /chroot\(".*\/root"\)/, /chroot\('.*\/root'\)/],
    ['chdir', /chdir\("\/work"\)/, /chdir\('\/work'\)/],
    ['pid', /pwrite64\(\d+, "\d+\\nstart=/, /run\/x\.pid/],
    ['close', /close\(8\)/, /close inherited descriptors, but not 3/],
    ['stdio', /dup[23]\(\d+, 0/, /0: .*in, 1: .*log\/out, 2: descriptor 1/],
    ['sigchld', /rt_sigaction\(SIGCHLD, .*SIG_IGN/, /SIGCHLD/],
    ['title', /prctl\(PR_SET_NAME, "all-of-it"/, /all-of-it/],
    ['privileges', /setresuid\(65534, 65534, 65534/, /user nobody/],
    [
      'core dumps',
      /prlimit64\(0, RLIMIT_CORE, \{rlim_cur=0, rlim_max=0\}/,
      /RLIMIT_CORE/,
    ],
    ['sighup back', /rt_sigaction\(SIGHUP, .*SIG_IGN/, /SIGHUP: ignore/],
    ['sigterm', /^/, /SIGTERM: default/],
    ['ready', /write\(9, "\\n", 1\)/, /context\.ready\(\)/],
  ];
  const trace = join(folder, 'trace');
  const calls =
    'umask,openat,open,flock,rt_sigaction,clone,fork,vfork,setsid,connect,chroot,chdir,pwrite64,close,dup2,dup3,prctl,setresuid,prlimit64,write';
  const through = [
    ...['bash', '-c', 'exec 8</etc 9>/dev/null; exec "$0" "$@"'],
    ...['strace', '-D', '-f', '-qq', '-o', trace, '-e', `trace=${calls}`],
  ];
  await program.play(
    'explain',
    [options],
    { through, until: 'exit' },
    async (probe, { status, stderr }) => {
      assert.deepEqual([status, stderr], [0, '']);
      const rows = await probe.next<Row[]>();
      await probe.next();
      await probe.end();
      assert.deepEqual(
        rows.map(({ name }) => name),
        proof.map(([name]) => name),
      );
      const lines = read(trace).split('\n');
      let at = lines.findIndex((line) => line.includes('umask(027'));
      for (const [index, [name, seen, does]] of proof.entries()) {
        assert.match(rows[index]!.does, does);
        const next = lines.findIndex(
          (line, i) => i >= at && seen.test(line.replace(/^\d+ +/, '')),
        );
        assert.ok(next >= 0, `${name} is done, at its place`);
        if (seen.source !== '^') at = next + 1;
      }
    },
  );
}

test('options that are wrong are refused by name', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  const range = 'ERR_OUT_OF_RANGE';
  const cases: [options: object, code: string, name: string, more?: RegExp][] =
    [
      [{ chroot: 1 }, type, 'chroot'],
      [{ chroot: '' }, type, 'chroot'],
      [{ chroot: '/\0' }, value, 'chroot'],
      [{ pidfile: 1 }, type, 'pidfile'],
      [{ pidfile: '' }, type, 'pidfile'],
      [{ pidfile: null }, type, 'pidfile'],
      [{ pidfile: {} }, type, 'pidfile.path'],
      [{ pidfile: { path: '/x', mode: '644' } }, type, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mode: 0o1000 } }, range, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mode: 0o666 } }, value, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mkdir: 1 } }, type, 'pidfile.mkdir'],
      [
        { pidfile: { path: '/x', mkdri: true } },
        value,
        'pidfile.mkdri',
        /mkdir/,
      ],
      [{ stdout: { path: '/x', mode: -1 } }, range, 'stdout.mode'],
      [{ stderr: { path: '/x', mkdir: 'yes' } }, type, 'stderr.mkdir'],
      [{ stdin: 'syslog' }, value, 'stdin'],
      [{ stdin: { path: '/x' } }, type, 'stdin'],
      [{ syslog: 'daemon' }, type, 'syslog'],
      [{ syslog: { ident: 1 } }, type, 'syslog.ident'],
      [
        { syslog: { facility: 'deamon' } },
        value,
        'syslog.facility',
        /'daemon'/,
      ],
      [{ syslog: { options: 'pid' } }, type, 'syslog.options'],
      [{ syslog: { options: ['pit'] } }, value, 'syslog.options[0]', /'pid'/],
      [{ syslog: { mask: 'err' } }, type, 'syslog.mask'],
      [{ syslog: { mask: {} } }, value, 'syslog.mask.upTo'],
      [
        { syslog: { mask: { upTo: 'error' } } },
        value,
        'syslog.mask.upTo',
        /'err'/,
      ],
      [{ syslog: { mask: ['err', 'all'] } }, value, 'syslog.mask[1]'],
      [{ syslog: { idnet: 'x' } }, value, 'syslog.idnet', /'ident'/],
      [{ syslog: { path: '/x' } }, value, 'syslog.path'],
      [{ syslog: { maxQueueBytes: '1' } }, type, 'syslog.maxQueueBytes'],
      [{ syslog: { maxLength: 1 } }, range, 'syslog.maxLength'],
      [{ syslog: { flushTimeout: -1 } }, range, 'syslog.flushTimeout'],
      [{ syslog: { fallback: '' } }, value, 'syslog.fallback'],
      [{ syslog: { fallbackAfter: 0.5 } }, range, 'syslog.fallbackAfter'],
      [{ user: true }, type, 'user'],
      [{ user: -1 }, range, 'user'],
      [{ user: 2 ** 32 - 1 }, range, 'user'],
      [{ group: {} }, type, 'group'],
      [{ group: 1.5 }, range, 'group'],
      [{ groups: 'adm' }, type, 'groups'],
      [{ groups: [0, null] }, type, 'groups[1]'],
      [{ initgroups: 'yes' }, type, 'initgroups'],
      [{ coreDumps: 0 }, type, 'coreDumps'],
      [{ env: 'none' }, type, 'env'],
      [{ env: ['PATH', 1] }, type, 'env[1]'],
      [{ sighup: 'reload' }, value, 'sighup', /'reopen'/],
      [{ sighup: 1 }, type, 'sighup'],
      [{ sigchld: 'exit' }, value, 'sigchld', /'ignore'/],
      [{ sigterm: 'ignore' }, value, 'sigterm', /'exit'/],
      [{ sigterm: null }, type, 'sigterm'],
      [{ onStop: 'exit' }, type, 'onStop'],
      [{ stopTimeout: 0 }, range, 'stopTimeout'],
      [{ stopTimeout: '1s' }, type, 'stopTimeout'],
      [{ detach: 'no' }, value, 'detach', /'auto'/],
      [{ ready: 'later' }, value, 'ready', /'manual'/],
      [{ readyTimeout: -1 }, range, 'readyTimeout'],
      [{ readyTimeout: 2 ** 31 }, range, 'readyTimeout'],
      [{ notificationFd: '3' }, type, 'notificationFd'],
      [{ notificationFd: -1 }, range, 'notificationFd'],
      [{ title: null }, type, 'title'],
      [{ title: 'a\0b' }, value, 'title'],
      [{ pidFile: '/x' }, value, 'pidFile', /'pidfile'/],
      [{ User: 'x' }, value, 'User', /'user'/],
    ];
  for (const [options, code, name, more] of cases) {
    const about = JSON.stringify(options);
    let error: NodeJS.ErrnoException | undefined;
    try {
      explain(options);
    } catch (thrown) {
      error = thrown as NodeJS.ErrnoException;
    }
    assert.equal(error?.code, code, `${about} ${error?.message}`);
    const quoted = [`'options.${name}'`, `"options.${name}"`];
    assert.ok(
      quoted.some((text) => error.message.includes(text)),
      `${about} ${error.message}`,
    );
    if (more) assert.match(error.message, more);
  }
});
