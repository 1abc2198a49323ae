import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { placesOf } from '../src/cli/places';
import { formatBytes, formatDuration } from '../src/cli/quantities';
import { withEnv } from './helpers/environment';
import { needsRoot, until } from './helpers/scenario';
import { cli, type Site, withSite } from './helpers/site';

const sleeper = { command: ['sleep', '1000'] };

interface Report {
  name: string;
  state: string;
  pid: number | null;
  uptime: number | null;
  cpu: number | null;
  memory: number | null;
}

/** Without those that `run --name` has started on this machine. */
function reports(site: Site, ...args: string[]): Report[] {
  const { stdout } = site.run('status', 'up', 'down', '--json', ...args);
  return JSON.parse(stdout) as Report[];
}

/** One that runs and one that does not. */
function withTwo(use: (site: Site) => void): Promise<void> {
  return withSite((site) => {
    site.describe({ up: sleeper, down: sleeper });
    assert.equal(site.run('start', 'up').status, 0);
    use(site);
  });
}

test('--json has every key for each daemon, null for what is not known', () =>
  withTwo((site) => {
    const [up, down] = reports(site);
    const keys = [
      'name',
      'state',
      'pid',
      'since',
      'uptime',
      'cpu',
      'memory',
      'threads',
      'childPid',
      'restarts',
      'ready',
      'pidfile',
      'reason',
    ];
    assert.deepEqual(Object.keys(up!), keys);
    assert.deepEqual(Object.keys(down!), keys);
    assert.deepEqual([up!.name, up!.state], ['up', 'running']);
    assert.equal(
      String(up!.pid),
      String(spawnSync('pgrep', ['-F', site.path('up.pid')]).stdout).trim(),
    );
    const ps = spawnSync('ps', ['-o', 'rss=', '-p', String(up!.pid)]);
    assert.equal(up!.memory, Number(String(ps.stdout)) * 1024);
    assert.ok(up!.uptime! >= 0 && up!.cpu! >= 0);
    assert.deepEqual(
      [down!.state, down!.pid, down!.uptime, down!.memory],
      ['stopped', null, null, null],
    );
  }));

test('the exit code of status is the worst of all, that of list is 0', () =>
  withTwo((site) => {
    assert.equal(site.run('status', 'up').status, 0);
    assert.equal(site.run('status', 'up', 'down').status, 3);
    assert.equal(site.run('list', 'up', 'down').status, 0);
  }));

test('elsewhere than on a terminal the table is plain text in columns', () =>
  withTwo((site) => {
    const { stdout, stderr } = site.run('list', 'up', 'down');
    assert.equal(stderr, '');
    const [head, up, down] = stdout.split('\n');
    assert.match(
      head!,
      /^NAME {2}STATE {4}PID +UPTIME {2}CPU +MEMORY {2}RESTARTS$/,
    );
    assert.match(
      up!,
      /^up {4}running {2}\d+ +\d+s +\d+\.\d% +\d+(\.\d)?[KM] +-$/,
    );
    assert.match(down!, /^down {2}stopped {2}- +- +- +- +-$/);
  }));

test('with FORCE_COLOR the columns are the same', () =>
  withTwo((site) => {
    const list = (...env: string[]): string[] =>
      site
        .runWith('env', [
          ...[...env, process.execPath, cli, 'list', 'up', 'down'],
        ])
        .stdout.split('\n');
    const coloured = list('FORCE_COLOR=1');
    assert.ok(coloured[0]!.startsWith('\x1b[1mNAME'));
    const starts = (line: string): number[] =>
      [...line.matchAll(/(?<!\S)\S/g)].map(({ index }) => index);
    const plain = list().map(starts);
    assert.deepEqual(coloured.map(stripVTControlCharacters).map(starts), plain);
  }));

function onTerminal(site: Site, env: NodeJS.ProcessEnv = {}): string {
  const terminal = join(__dirname, 'helpers/terminal.py');
  const command = [process.execPath, cli, 'list', 'up', 'down'];
  const { stdout } = spawnSync('python3', [terminal, ...command], {
    cwd: site.folder,
    env: { ...site.env, TERM: 'xterm', ...env },
    encoding: 'utf8',
  });
  return stdout.replaceAll('\r\n', '\n').replaceAll('\x1b', 'ESC');
}

test('on a terminal the head is bold and the state has a colour, without NO_COLOR', () =>
  withTwo((site) => {
    const coloured = onTerminal(site);
    assert.match(coloured, /^ESC\[1mNAMEESC\[22m {2,}ESC\[1mSTATE/);
    assert.match(coloured, /\nup +ESC\[32mrunningESC\[39m +\d+ /);
    const plain = onTerminal(site, { NO_COLOR: '1' });
    assert.doesNotMatch(plain, /ESC/);
    assert.match(plain, /\nup {4}running {2}\d+ +\d+s/);
    // In the same columns.
    assert.deepEqual(
      coloured.replaceAll(/ESC\[\d+m/g, '').split('\n')[0],
      plain.split('\n')[0],
    );
  }));

test('a table that would be empty is a sentence', needsRoot, () =>
  withSite((site) => {
    const file = site.write('daemons.json', { daemons: {} });
    chmodSync(site.folder, 0o755);
    // root's names are in /run, with those of others.
    const { status, stdout, stderr } = site.runWith('setpriv', [
      ...['--reuid', '65534', '--clear-groups'],
      ...[process.execPath, cli, 'list', '--file', file],
    ]);
    assert.deepEqual([status, stdout], [0, '']);
    assert.match(stderr, /no file describes daemons here, and `run --name` /);
  }),
);

test('of a command under a supervisor nobody says that it is still starting', () =>
  withSite((site) => {
    const script = 'trap : HUP; while :; do sleep 0.1; done';
    const listener = { command: ['sh', '-c', script], respawn: true };
    site.describe({ up: listener });
    assert.equal(site.run('start').status, 0);
    assert.match(site.run('status', 'up').stdout, /\nup {4}running /);
    const found = site.run('reload', 'up');
    assert.match(found.stdout, /^up: reloaded, pid \d+\n$/);
  }));

test('a supervisor that waits to start its command again is restarting, which is no failure', () =>
  withSite(async (site) => {
    const respawn = { delay: 1_000_000, maxDelay: 1_000_000 };
    site.describe({ up: { command: ['false'], respawn } });
    assert.equal(site.run('start').status, 0);
    const told = (): string => site.run('status', 'up').stdout;
    await until('the end of the command', () =>
      /\nup {4}restarting /.test(told()),
    );
    const { status, stdout } = site.run('status', 'up', '--json');
    const [report] = JSON.parse(stdout) as { childPid: null; state: string }[];
    assert.deepEqual(
      [status, report!.state, report!.childPid],
      [0, 'running', null],
    );
  }));

test('that a supervisor has given up is told with the reason', () =>
  withSite(async (site) => {
    const limit = { restarts: 1, seconds: 60 };
    const command = ['sh', '-c', 'exit 3'];
    site.describe({ up: { command, respawn: { delay: 1, limit } } });
    assert.equal(site.run('start').status, 0);
    const told =
      'posix-daemonize: up: given up, restarts: 1; it ended with status 3 at ';
    await until('the end', () =>
      site.run('status', 'up').stderr.startsWith(told),
    );
    assert.equal(site.run('status', 'up').status, 3);
  }));

test('list --names prints a name in each line', () =>
  withSite((site) => {
    site.describe({
      b: sleeper,
      a: { ...sleeper, dependsOn: ['c'] },
      c: sleeper,
    });
    assert.equal(
      site.run('list', '--names', 'a', 'b', 'c').stdout,
      'c\na\nb\n',
    );
  }));

test('a PID file that cannot be judged keeps nobody from being shown', () =>
  withTwo((site) => {
    spawnSync('mkdir', [site.path('down.pid')]);
    const { status, stdout, stderr } = site.run('status', 'up', 'down');
    assert.equal(status, 4);
    assert.match(stdout, /\nup {4}running /);
    assert.match(stdout, /\ndown {2}unknown /);
    assert.match(stderr, /down: .*is a directory\n$/);
  }));

test('what run --name started is found by that name, and started again with its words', () =>
  withSite((site) => {
    const name = `list-test-${process.pid}`;
    // Of root they are in /run and /var/log, whatever the environment says.
    const { XDG_RUNTIME_DIR, XDG_STATE_HOME } = site.env;
    const { pidfile, log } = withEnv({ XDG_RUNTIME_DIR, XDG_STATE_HOME }, () =>
      placesOf(name),
    );
    const state = (): string | undefined =>
      (JSON.parse(site.run('list', '--json').stdout) as Report[]).find(
        (report) => report.name === name,
      )?.state;
    try {
      const command = ['--', 'sh', '-c', 'echo "$0"; exec sleep 1000', 'hello'];
      assert.equal(site.run('run', '--name', name, ...command).status, 0);
      assert.equal(state(), 'running');
      const restart = site.run('restart', name);
      assert.equal(restart.status, 0, restart.stderr);
      assert.equal(site.run('stop', name).status, 0);
      assert.equal(state(), 'stopped');
      assert.equal(site.run('logs', name).stdout, 'hello\nhello\n');
    } finally {
      site.run('stop', name);
      for (const path of [pidfile, log, pidfile.replace('.pid', '.run.json')])
        rmSync(path, { force: true });
    }
  }));

test('amounts are told in their largest units', () => {
  const second = 1000;
  assert.deepEqual(
    [
      0,
      59 * second,
      60 * second,
      3661 * second,
      90_000 * second,
      86_460 * second,
    ].map(formatDuration),
    ['0s', '59s', '1m', '1h 1m', '1d 1h', '1d'],
  );
  assert.deepEqual(
    [0, 1023, 1024, 1536, 100 * 1024, 5 * 1024 ** 3].map(formatBytes),
    ['0B', '1023B', '1.0K', '1.5K', '100K', '5.0G'],
  );
});
