// explain() with all options at once: each step is told, and done.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

const probeFds = ['REPORT_FD', 'DEADMAN_FD'];

const read = (path: string): string => readFileSync(path, 'utf8');

const has = (program: string): boolean =>
  spawnSync(program, ['--version']).error === undefined;

interface Row {
  name: string;
  does: string;
}

forEachProgram('daemonize', (program) => {
  test(
    'explain() names each step of all options, and each is done, in this order',
    { skip: needsRoot.skip || (!has('strace') && 'install strace') },
    () => withFolder((folder) => explained(program, folder)),
  );
});

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
