// What explain() tells is what is done.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Self } from './helpers/become';
import { forEachProgram, type Program } from './helpers/programs';
import { needsRoot, withFolder } from './helpers/scenario';

interface Row {
  name: string;
  does: string;
  source: string;
}

forEachProgram('daemon', (program) => {
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
});

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
