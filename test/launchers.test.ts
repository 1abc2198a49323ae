import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import {
  ending,
  expectDetached,
  expectStaying,
  isAlive,
  run,
  withLauncher,
} from './helpers/launchers';
import { firstLine } from './helpers/pidfile';
import { needsRoot, until } from './helpers/scenario';
import { needs, needsRootAnd } from './helpers/surroundings';

// daemonize() under what starts programs and leaves them to themselves, on a
// terminal, and as a container's first process.

const terminal = ['python3', join(__dirname, 'helpers/terminal.py')];
const newPids = ['unshare', '--pid', '--fork', '--mount-proc'];
const always = { skip: false as const };

describe('a program that detaches', () => {
  withLauncher(
    'nohup, in the background of a terminal that closes',
    always,
    async (reporter) => {
      // It would go with the terminal: Node does not leave SIGHUP ignored.
      const line = 'nohup "$@" & wait $!';
      const closing = [...terminal, '--hangup-after-exit'];
      const command = reporter.command('nohup');
      const child = reporter.start([
        ...closing,
        'sh',
        '-c',
        line,
        '-',
        ...command,
      ]);
      const told = await reporter.report('nohup');
      assert.notEqual(told.before.tty, null);
      expectDetached(told);
      assert.deepEqual(await ending(child), [0, null]);
      process.kill(told.pid, 'SIGUSR2');
      await reporter.report('alive');
    },
  );

  const cron = ['env', '-i', 'HOME=/', 'LOGNAME=root', 'SHELL=/bin/sh'];
  for (const [title, before] of [
    ['setsid', ['setsid', '--wait']],
    ['setsid that forks', ['setsid', '--fork']],
    [
      // cron reads what the job says to the end, for a mail.
      'cron',
      [
        ...cron,
        'setsid',
        '--wait',
        'sh',
        '-c',
        '"$@" 2>&1 </dev/null | cat',
        '-',
      ],
    ],
    // sshd waits for the end of both pipes; those of Node are sockets.
    ['ssh -T', ['sh', '-c', 'cat | "$@" 2>&1 | cat', '-']],
    ['ssh -T, with sockets', []],
  ] as const)
    withLauncher(`${title}: nobody waits for it`, always, async (reporter) => {
      const command = [...before, ...reporter.command('job')];
      const child = reporter.start(command);
      const told = await reporter.report('job');
      expectDetached(told);
      assert.deepEqual(await ending(child), [0, null]);
      process.kill(told.pid, 'SIGUSR2');
      await reporter.report('alive');
    });

  withLauncher(
    'a shell that is process 1 and becomes its parent',
    needsRoot,
    async (reporter) => {
      const line = '"$@" && read pid && kill -USR2 $pid; read end; exit 7';
      const child = reporter.start(
        [...newPids, 'bash', '-c', line, '-', ...reporter.command('daemon')],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      try {
        const told = await reporter.report('daemon');
        expectDetached(told);
        assert.equal(told.before.ppid, 1);
        child.stdin!.write(`${told.pid}\n`);
        await reporter.report('alive');
      } finally {
        child.stdin!.end();
      }
      assert.deepEqual(await ending(child), [7, null]);
    },
  );
});

describe('the first process of a container stays', () => {
  for (const [title, init, signal] of [
    ['the program itself, SIGTERM', [], 'SIGTERM'],
    ['the program itself, Ctrl-C', [], 'SIGINT'],
    ['tini', ['tini', '--'], 'SIGTERM'],
    ['dumb-init', ['dumb-init'], 'SIGTERM'],
    ['catatonit', ['catatonit', '--'], 'SIGTERM'],
  ] as const) {
    const [name = 'unshare'] = init;
    withLauncher(title, needsRootAnd([name]), async (reporter) => {
      const pidfile = join(reporter.folder, 'pid');
      const options = JSON.stringify({ pidfile });
      const command = reporter.command('container', options);
      const child = reporter.start([...newPids, ...init, ...command]);
      const told = await reporter.report('container');
      expectStaying(told, 'container');
      assert.equal(init.length === 0 ? told.pid : told.ppid, 1);
      assert.equal(firstLine(pidfile), `${told.pid}\n`);
      process.kill(onlyChild(child.pid!), signal);
      assert.deepEqual(await ending(child), [0, null]);
      assert.ok(!existsSync(pidfile), 'ended in order');
    });
  }
});

/** Its pid as it is counted here. */
function onlyChild(pid: number): number {
  const children = `/proc/${pid}/task/${pid}/children`;
  return Number(readFileSync(children, 'utf8'));
}

withLauncher(
  'detach: false on a terminal: all else is done, and Ctrl-C ends it in order',
  always,
  async (reporter) => {
    const pidfile = join(reporter.folder, 'pid');
    const options = JSON.stringify({ detach: false, pidfile });
    const command = reporter.command('stays', options, 'interrupted');
    const inherited = openSync('/etc/hostname', 'r');
    const child = reporter.start(
      [...terminal, '--interrupt-at=up', ...command],
      { stdio: ['ignore', 'pipe', 'pipe', inherited] },
    );
    closeSync(inherited);
    const told = await reporter.report('stays');
    expectStaying(told, 'shell');
    assert.notEqual(told.tty, null);
    assert.equal(told.tty, told.fds[0]);
    assert.ok(Object.values(told.before.fds).includes('/etc/hostname'));
    assert.ok(!Object.values(told.fds).includes('/etc/hostname'));
    assert.ok(!told.ignored.includes('SIGTSTP'), 'Ctrl-Z works');
    assert.equal(firstLine(pidfile), `${told.pid}\n`);
    process.kill(told.pid, 'SIGUSR2');
    assert.deepEqual(await ending(child), [0, null]);
    assert.ok(!existsSync(pidfile));
  },
);

describe('start-stop-daemon', () => {
  const node = process.execPath;
  const installed = needs(['start-stop-daemon', 'dpkg']);

  for (const [title, background, options] of [
    ['--start', [], {}],
    ['--start --background', ['--background'], {}],
    [
      '--start --background --make-pidfile, with detach: false',
      ['--background', '--make-pidfile'],
      { detach: false },
    ],
  ] as const)
    withLauncher(`${title}, and --stop`, installed, async (reporter) => {
      const pidfile = join(reporter.folder, 'pid');
      const own = background.length === 2 ? {} : { pidfile };
      const [, ...args] = reporter.command(
        'daemon',
        JSON.stringify({ ...own, ...options }),
      );
      const matching = ['--pidfile', pidfile, '--exec', node];
      const control = (...words: string[]) =>
        run('start-stop-daemon', ...words, ...matching);
      const start = () =>
        run(
          'start-stop-daemon',
          ...['--start', ...background, ...matching, '--', ...args],
        );

      assert.equal((await start()).status, 0);
      const told = await reporter.report('daemon');
      if ('detach' in options) {
        assert.deepEqual([told.launcher, told.detached], ['shell', false]);
        assert.equal(told.pid, told.before.pid);
      } else expectDetached(told);
      assert.equal(Number(firstLine(pidfile)), told.pid);
      assert.equal((await control('--status')).status, 0);
      const again = await start();
      assert.equal(again.status, 1);
      assert.match(again.stdout, /already running/);

      const stop = ['--stop', '--remove-pidfile', '--retry', '20'];
      assert.equal((await control(...stop)).status, 0);
      await until('its end', () => !isAlive(told.pid));
      assert.ok(!existsSync(pidfile));
      assert.equal((await control('--status')).status, 3);
    });

  const awaiting = ['--start', '--background', '--notify-await'];
  const matching = ['--pidfile', '/nonexistent', '--exec', node, '--'];

  withLauncher(
    '--notify-await waits until context.ready()',
    installed,
    async (reporter) => {
      const [, ...args] = reporter.command(
        'daemon',
        '{"ready":"manual"}',
        'ready',
      );
      const child = reporter.start([
        ...['start-stop-daemon', ...awaiting, ...matching, ...args],
      ]);
      const told = await reporter.report('daemon');
      assert.deepEqual([told.launcher, told.detached], ['supervisor', false]);
      assert.equal(child.exitCode, null);
      process.kill(told.pid, 'SIGUSR2');
      assert.deepEqual(await ending(child), [0, null]);
      await reporter.report('ready');
      assert.ok(isAlive(told.pid));
    },
  );

  for (const [scenario, reason] of [
    ['fail', 'Address already in use'],
    ['throw', 'Operation canceled'],
  ] as const)
    withLauncher(
      `--notify-await learns at once that it will not be ready: ${scenario}`,
      installed,
      async (reporter) => {
        const [, ...args] = reporter.command(
          'daemon',
          '{"ready":"manual"}',
          scenario,
        );
        // Longer than run() waits.
        const timeout = ['--notify-timeout', '600'];
        const { status, stderr } = await run(
          'start-stop-daemon',
          ...[...awaiting, ...timeout, ...matching, ...args],
        );
        assert.equal(status, 2);
        const what = `program failed to initialize (${reason})`;
        assert.ok(stderr.includes(what), stderr);
      },
    );
});
