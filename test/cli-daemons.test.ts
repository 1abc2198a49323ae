import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { test } from 'node:test';
import { firstLine } from './helpers/pidfile';
import { isGone } from './helpers/processes';
import { cli, type Site, withSite } from './helpers/site';
import { needsRoot, until } from './helpers/scenario';

/** Programs that write their names into a file, and stay. */
const tell = {
  node: (name: string) => [
    process.execPath,
    '-e',
    `require('fs').appendFileSync('order', '${name}\\n'); setInterval(() => {}, 1e6)`,
  ],
  python: (name: string) => [
    'python3',
    '-c',
    `import time
open('order', 'a').write('${name}\\n')
while True: time.sleep(1000)`,
  ],
  shell: (name: string) => [
    'sh',
    '-c',
    `echo ${name} >>order; exec sleep 1000`,
  ],
};

const lines = (site: Site, name: string): string[] =>
  existsSync(site.path(name))
    ? readFileSync(site.path(name), 'utf8').trim().split('\n')
    : [];

const order = (site: Site): string[] => lines(site, 'order');

const pidOf = (site: Site, name: string): number =>
  Number(firstLine(site.path(`${name}.pid`)));

/** When the kernel made it, in ticks of 10 ms. */
function startOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

const sleeper = { command: ['sleep', '1000'] };

function status(site: Site, ...names: string[]): (number | null)[] {
  return names.map((name) => site.run('status', name).status);
}

test('a Node.js, a Python and a shell program start in the order of their dependencies, and stop in reverse', () =>
  withSite(async (site) => {
    site.describe({
      web: { command: tell.node('web'), dependsOn: ['api', 'db'] },
      api: { command: tell.python('api'), dependsOn: ['db'] },
      db: { command: tell.shell('db') },
    });
    const start = site.run('start', 'web');
    assert.equal(start.status, 0, start.stderr);
    assert.match(
      start.stdout,
      /^db: started with pid \d+\napi: started with pid \d+\nweb: started with pid \d+\n$/,
    );
    await until('all three', () => order(site).length === 3);
    assert.deepEqual(status(site, 'web', 'api', 'db'), [0, 0, 0]);
    const pids = ['web', 'api', 'db'].map((name) => pidOf(site, name));

    const again = site.run('start');
    assert.equal(again.status, 0);
    assert.match(again.stdout, /^(\w+: already running with pid \d+\n){3}$/);

    const stop = site.run('stop');
    assert.equal(stop.status, 0, stop.stderr);
    assert.equal(
      stop.stdout,
      `web: stopped, was pid ${pids[0]}\napi: stopped, was pid ${pids[1]}\ndb: stopped, was pid ${pids[2]}\n`,
    );
    assert.deepEqual(status(site, 'web', 'api', 'db'), [3, 3, 3]);
  }));

test('with a delay the programs start that long after each other', () =>
  withSite(async (site) => {
    const daemons = {
      a: { command: tell.shell('a') },
      b: { command: tell.shell('b') },
      c: { command: tell.shell('c'), delay: 0 },
    };
    site.describe(daemons, { delay: 700 });
    assert.equal(site.run('start').status, 0);
    await until('all three', () => order(site).length === 3);
    assert.deepEqual(order(site), ['a', 'b', 'c']);
    const ticks = startOf(pidOf(site, 'b')) - startOf(pidOf(site, 'a'));
    assert.ok(ticks >= 69, `${ticks} ticks`);
  }));

test('who asks for one daemon is told that it runs: 1, or 0 with --lsb', () =>
  withSite((site) => {
    site.describe({ a: sleeper });
    assert.equal(site.run('start', 'a').status, 0);
    const pid = pidOf(site, 'a');
    const told = `a: already running with pid ${pid}\n`;
    for (const [args, expected] of [
      [['a'], 1],
      [['a', '--lsb'], 0],
      [[], 0],
    ] as const) {
      const { status, stdout, stderr } = site.run('start', ...args);
      assert.deepEqual([status, stdout, stderr], [expected, told, '']);
    }
    assert.equal(site.run('stop', 'a').status, 0);
    assert.equal(site.run('stop', 'a').status, 7);
    assert.equal(site.run('stop', 'a', '--lsb').status, 0);
    assert.equal(site.run('stop').status, 0);
  }));

test('status agrees with pgrep and start-stop-daemon, for what runs, what was killed, and what never ran', () =>
  withSite(async (site) => {
    site.describe({ a: sleeper });
    const others = (): (number | null)[] => [
      spawnSync('pgrep', ['-F', site.path('a.pid')]).status,
      spawnSync('start-stop-daemon', [
        '--status',
        '--pidfile',
        site.path('a.pid'),
      ]).status,
    ];
    assert.equal(site.run('status', 'a').status, 3);
    assert.deepEqual(others(), [1, 3]);
    assert.equal(site.run('start').status, 0);
    assert.equal(site.run('status', 'a').status, 0);
    assert.deepEqual(others(), [0, 0]);
    const pid = pidOf(site, 'a');
    process.kill(pid, 'SIGKILL');
    await until('its end', () => !existsSync(`/proc/${pid}`));
    assert.equal(site.run('status', 'a').status, 1);
    assert.deepEqual(others(), [1, 1]);
    assert.equal(site.run('start', 'a').status, 0, 'over a stale file');
  }));

test('a PID file is enough to stop a daemon, and to ask for it', () =>
  withSite((site) => {
    site.describe({ a: sleeper });
    assert.equal(site.run('start').status, 0);
    const pidfile = site.path('a.pid');
    assert.equal(site.run('status', '--pidfile', pidfile).status, 0);
    const restart = site.run('restart', '--pidfile', pidfile);
    assert.equal(restart.status, 6);
    assert.match(restart.stderr, /it is not known how to start 'a'/);
    assert.equal(site.run('status', '--pidfile', pidfile).status, 0);
    const { status, stdout } = site.run('stop', '--pidfile', pidfile);
    assert.equal(status, 0);
    assert.match(stdout, /^a: stopped, was pid \d+\n$/);
  }));

test('what depends on a program that does not start is not started', () =>
  withSite((site) => {
    site.describe({
      db: { command: ['./missing'] },
      web: { ...sleeper, dependsOn: ['db'] },
      other: sleeper,
    });
    const { status, stdout, stderr } = site.run('start');
    assert.equal(status, 5);
    assert.match(stderr, /no such command: /);
    assert.match(stderr, /db: not started\n/);
    assert.match(stderr, /web: not started, for it depends on db\n/);
    assert.match(stdout, /^other: started with pid \d+\n$/);
  }));

test('restart stops nothing when a program could not start again', () =>
  withSite((site) => {
    site.describe({ a: sleeper, b: sleeper });
    assert.equal(site.run('start').status, 0);
    const pid = pidOf(site, 'a');

    site.describe({ a: sleeper, b: { command: ['/nowhere/b'] } });
    const missing = site.run('restart');
    assert.equal(missing.status, 5);
    assert.match(
      missing.stderr,
      /b could not be started again\n.*nothing was stopped\n/,
    );
    site.describe({ a: { ...sleeper, umask: 9 }, b: sleeper });
    assert.equal(site.run('restart', 'b').status, 6);
    site.describe({ a: sleeper, b: sleeper });
    assert.deepEqual(status(site, 'a', 'b'), [0, 0]);
    assert.equal(pidOf(site, 'a'), pid);

    const restart = site.run('restart', 'a');
    assert.equal(restart.status, 0, restart.stderr);
    assert.notEqual(pidOf(site, 'a'), pid);
    assert.deepEqual(status(site, 'a', 'b'), [0, 0]);
  }));

/** What is there at the start, and would not let it start again. */
for (const [title, definition, wreck, status, why] of [
  [
    'its directory is gone',
    { cwd: 'work' },
    (site: Site) => renameSync(site.path('work'), site.path('elsewhere')),
    1,
    /ENOENT: .*, chdir '.*\/work'/,
  ],
  [
    "its log's directory is gone",
    { log: 'work/a.log' },
    (site: Site) => renameSync(site.path('work'), site.path('elsewhere')),
    1,
    /ENOENT: .*, open '.*\/work\/a\.log'/,
  ],
  [
    'its log is a directory by now',
    {},
    (site: Site) => {
      renameSync(site.path('a.log'), site.path('a.log.1'));
      mkdirSync(site.path('a.log'));
    },
    1,
    /EISDIR: .*, open '.*\/a\.log'/,
  ],
  [
    "the directory of its command's PID file is gone",
    { respawn: { childPidfile: 'work/child.pid' } },
    (site: Site) => renameSync(site.path('work'), site.path('elsewhere')),
    1,
    /ENOENT: .*, open '.*\/work\/child\.pid'/,
  ],
  [
    'its PID file may be written by everybody',
    {},
    (site: Site) => chmodSync(site.path('a.pid'), 0o666),
    1,
    /may be written by everybody/,
  ],
  [
    'its user may not execute it any more',
    { command: ['./program'], user: 'nobody' },
    (site: Site) => chmodSync(site.path('program'), 0o744),
    4,
    /EACCES: .*, execve '.*\/program'\n.*may not execute it/,
  ],
] as const)
  test(
    `restart keeps a daemon where ${title}, and leaves nothing behind`,
    needsRoot,
    () =>
      withSite((site) => {
        chmodSync(site.folder, 0o755);
        mkdirSync(site.path('work'));
        const script = '#!/bin/sh\nexec sleep 1000\n';
        chmodSync(site.write('program', script), 0o755);
        site.describe({ a: { ...sleeper, ...definition } });
        const start = site.run('start');
        assert.equal(start.status, 0, start.stderr);
        const pid = pidOf(site, 'a');
        wreck(site);
        const before = readdirSync(site.folder);
        const restart = site.run('restart');
        assert.deepEqual([restart.status, restart.stdout], [status, '']);
        assert.match(restart.stderr, why);
        assert.match(
          restart.stderr,
          /a could not be started again\n.*nothing was stopped\n$/,
        );
        assert.equal(pidOf(site, 'a'), pid);
        assert.ok(existsSync(`/proc/${pid}/exe`));
        assert.deepEqual(readdirSync(site.folder), before);
        process.kill(pid, 'SIGKILL');
      }),
  );

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
  test(`${signal} to start ends what it has begun, starts nothing more, and is what it dies of`, () =>
    withSite(async (site) => {
      const command = ['sh', '-c', 'echo $$ >pid; exec sleep 1000'];
      site.describe({ a: { command, ready: 'notify' }, b: sleeper });
      const start = spawn(process.execPath, [cli, 'start'], {
        cwd: site.folder,
        env: site.env,
        stdio: 'ignore',
      });
      await until('the command', () => lines(site, 'pid')[0] !== undefined);
      const pid = Number(lines(site, 'pid')[0]);
      const exit = once(start, 'exit');
      start.kill(signal);
      assert.deepEqual(await exit, [null, signal]);
      assert.ok(isGone(pid));
      assert.deepEqual(status(site, 'a', 'b'), [3, 3]);
    }));

const deaf = {
  command: [
    'python3',
    '-c',
    `import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open('deaf', 'w').close()
while True: time.sleep(1000)`,
  ],
};

async function startDeaf(site: Site, more: object = {}): Promise<number> {
  site.describe({ a: { ...deaf, ...more } });
  assert.equal(site.run('start').status, 0);
  await until('its handler', () => existsSync(site.path('deaf')));
  return pidOf(site, 'a');
}

test('stop says that a program goes on, and kills it when asked to', () =>
  withSite(async (site) => {
    const pid = await startDeaf(site);
    const stop = site.run('stop', 'a', '--timeout', '50ms');
    assert.equal(stop.status, 1);
    assert.match(stop.stderr, new RegExp(`a: process ${pid} .*has not yet\n`));
    assert.equal(site.run('status', 'a').status, 0);
    const kill = site.run('stop', 'a', '--kill-timeout', '50ms');
    assert.deepEqual(kill, {
      status: 0,
      stdout: `a: stopped, was pid ${pid}\n`,
      stderr: '',
    });
  }));

test('the file says how a program is stopped', () =>
  withSite(async (site) => {
    await startDeaf(site, { stopSignal: 'SIGINT' });
    assert.equal(site.run('stop', 'a').status, 0);
    await startDeaf(site, { killTimeout: 50 });
    assert.equal(site.run('stop', 'a').status, 0);
  }));

test('on a terminal stop shows in one line what it waits for', () =>
  withSite(async (site) => {
    const pid = await startDeaf(site);
    const terminal = `${__dirname}/helpers/terminal.py`;
    const command = [cli, 'stop', 'a', '--kill-timeout', '1500ms'];
    const { stdout } = site.runWith('python3', [
      terminal,
      process.execPath,
      ...command,
    ]);
    assert.ok(
      stdout.startsWith(`\ra: waiting for pid ${pid} to end, 1 s\x1b[K`),
      JSON.stringify(stdout),
    );
    assert.ok(stdout.endsWith(`\r\x1b[Ka: stopped, was pid ${pid}\r\n`));
  }));

test('reload sends SIGHUP to a program that listens, and spares one that does not', () =>
  withSite(async (site) => {
    const listening = `trap 'echo reloaded >>reloads' HUP; echo >ready; while :; do sleep 0.05; done`;
    site.describe({
      a: { command: ['sh', '-c', listening] },
      b: sleeper,
    });
    assert.equal(site.run('start').status, 0);
    await until('its trap', () => existsSync(site.path('ready')));
    const reload = site.run('reload', 'a');
    assert.deepEqual(
      [reload.status, reload.stdout],
      [0, `a: reloaded, pid ${pidOf(site, 'a')}\n`],
    );
    await until('the reload', () => lines(site, 'reloads').length === 1);
    const spared = site.run('reload', 'b');
    assert.equal(spared.status, 1);
    assert.match(spared.stderr, /b: .*does not listen to SIGHUP/);
    assert.equal(site.run('status', 'b').status, 0);
    site.run('stop', 'b');
    assert.equal(site.run('reload', 'b').status, 7);
  }));

test('cwd, env, umask, stderr and chmod come from the file', () =>
  withSite(async (site) => {
    const script = site.write(
      'program.sh',
      '#!/bin/sh\necho "$PWD $GREETING $(umask)"\necho trouble >&2\nexec sleep 1000\n',
    );
    chmodSync(script, 0o644);
    site.write('daemons.json', {
      daemons: {
        a: {
          command: ['./program.sh'],
          chmod: true,
          pidfile: 'a.pid',
          stdout: 'out',
          stderr: 'err',
          cwd: '/usr',
          env: { GREETING: 'hello' },
          umask: '027',
        },
      },
    });
    const { status, stderr } = site.run('start', 'a');
    assert.equal(status, 0, stderr);
    await until('its words', () => lines(site, 'err')[0] === 'trouble');
    assert.deepEqual(lines(site, 'out'), ['/usr hello 0027']);
    assert.equal(statSync(script).mode & 0o777, 0o755);
  }));

test('a line for the shell is one where the file says so', () =>
  withSite(async (site) => {
    site.describe({
      a: { command: 'echo "a  b" | tr a-z A-Z; exec sleep 1000', shell: true },
    });
    assert.equal(site.run('start').status, 0);
    await until('its words', () => lines(site, 'a.log')[0] === 'A  B');
  }));

test('a program that ends is started again where the file says so, and list tells how often', () =>
  withSite(async (site) => {
    site.describe({
      a: {
        command:
          'echo again >>order; [ $(wc -l <order) -lt 3 ] || exec sleep 1000',
        shell: true,
        respawn: { delay: 1 },
      },
    });
    assert.equal(site.run('start').status, 0);
    await until('three starts', () => order(site).length === 3);
    const report = (): { restarts: number; childPid: number; pid: number } =>
      (
        JSON.parse(site.run('list', 'a', '--json').stdout) as ReturnType<
          typeof report
        >[]
      )[0]!;
    await until('its news', () => report().restarts === 2);
    const { childPid, pid } = report();
    assert.equal(pid, pidOf(site, 'a'));
    assert.equal(childPid, pidOf(site, 'a.child'));
    const { status, stderr } = site.run('stop', 'a');
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(existsSync(`/proc/${childPid}/exe`), false);
  }));
