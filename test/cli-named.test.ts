import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { statusOf } from '../src/control';
import { withNamed } from './helpers/named';
import { isGone } from './helpers/processes';
import { asNobody, needsRoot, until } from './helpers/scenario';
import { cli, withSite } from './helpers/site';

const sleeper = ['sleep', '1000'];

test('logs by name shows files that were given by relative paths', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    mkdirSync(site.path('else'));
    const files = ['--stdout', 'out', '--stderr', 'err'];
    const script = 'echo to out; echo to err >&2; exec sleep 1000';
    assert.equal(named.run(...files, '--', 'sh', '-c', script).status, 0);
    await until('both lines', () =>
      ['out', 'err'].every((file) =>
        readFileSync(site.path(file), 'utf8').includes('\n'),
      ),
    );
    const { status, stdout } = site.runWith('env', [
      ...['-C', site.path('else'), process.execPath, cli, 'logs', name],
    ]);
    assert.equal(status, 0);
    assert.match(stdout, /to out\n[^]*to err\n/);
  }));

test('a name with another PID file is known to all commands, and is one daemon', () =>
  withNamed((named) => {
    const { name, site } = named;
    const pidfile = site.path('own.pid');
    const started = named.run('--pidfile', 'own.pid', '--', ...sleeper);
    assert.equal(started.status, 0, started.stderr);
    const { pid } = statusOf(pidfile);
    const { state, pidfile: told } = named.report(name)!;
    assert.deepEqual([state, told], ['running', pidfile]);
    assert.deepEqual(named.report('--pidfile', 'own.pid')?.name, name);

    const refused = `posix-daemonize: already running with pid ${pid}, which holds '${pidfile}'\n`;
    const second = named.run('--', ...sleeper);
    assert.deepEqual([second.status, second.stderr], [1, refused]);
    const lsb = named.run('--lsb', '--', ...sleeper);
    assert.deepEqual([lsb.status, lsb.stderr], [0, refused]);
    assert.ok(!existsSync(named.places.pidfile));

    const restart = site.run('restart', name);
    assert.equal(restart.status, 0, restart.stderr);
    assert.ok(isGone(pid!));
    assert.equal(site.run('stop', name).status, 0);
    assert.equal(statusOf(pidfile).pid, undefined);
    assert.equal(named.run('--', ...sleeper).status, 0);
    assert.ok(named.pid > 0);
  }));

test(
  'who is not root and has no XDG_RUNTIME_DIR finds it by its name, too',
  needsRoot,
  () =>
    withSite((site) => {
      chmodSync(site.folder, 0o777);
      const places = ['-u', 'XDG_RUNTIME_DIR', `XDG_STATE_HOME=${site.folder}`];
      const run = (...args: string[]) =>
        site.runWith('env', [
          ...['-C', site.folder, ...places, ...asNobody],
          ...[process.execPath, cli, ...args],
        ]);
      const files = ['--pidfile', 'own.pid', '--stdout', 'out'];
      const words = ['run', '--name', 'n', ...files, '--', ...sleeper];
      const started = run(...words);
      assert.deepEqual([started.status, started.stderr], [0, '']);
      assert.equal(run('status', 'n').status, 0);
      assert.equal(run('stop', 'n').status, 0);
      assert.equal(run('status', 'n').status, 3);
    }),
);

test('a name is no hindrance for files that have daemons of that name, with PID files of their own', () =>
  withNamed((named) =>
    withSite((other) => {
      const { name, site } = named;
      assert.equal(named.run('--', ...sleeper).status, 0);
      for (const one of [site, other]) {
        one.describe({ [name]: { command: sleeper } });
        const start = one.run('start');
        assert.deepEqual([start.status, start.stderr], [0, '']);
      }
      other.run('stop', '--pidfile', named.places.pidfile);
      assert.equal(statusOf(named.places.pidfile).pid, undefined);
      assert.equal(site.run('status').status, 0);
      assert.equal(other.run('status').status, 0);
    }),
  ));

test('status without names judges the file, and nothing that it does not describe', () =>
  withNamed((named) => {
    const { site } = named;
    assert.equal(named.run('--', 'true').status, 0);
    site.describe({ a: { command: sleeper } });
    assert.equal(site.run('start').status, 0);
    const status = site.run('status', '--json');
    const names = (JSON.parse(status.stdout) as { name: string }[]).map(
      ({ name }) => name,
    );
    assert.deepEqual([status.status, names], [0, ['a']]);
    assert.match(site.run('list').stdout, new RegExp(`^${named.name} `, 'm'));
  }));

test('status without a file expects what run --name started to run, until it is stopped', () =>
  withNamed(async (named) => {
    const { name, site } = named;
    const start = (): void =>
      assert.equal(named.run('--', ...sleeper).status, 0);
    start();
    assert.equal(named.report()?.state, 'running');
    process.kill(named.pid, 'SIGKILL');
    await until('its end', () => named.report()?.state === 'stale');

    start();
    assert.equal(site.run('stop', name).status, 0);
    assert.equal(named.report(), undefined);
    // How it is started and where it logs is known further on.
    assert.equal(named.report(name)?.state, 'stopped');
    assert.match(site.run('list').stdout, new RegExp(`^${name} +stopped`, 'm'));
    assert.equal(site.run('start', name).status, 0);
    assert.equal(named.report()?.state, 'running');
  }));

test('after a restart that has stopped it and failed, status expects it to run', () =>
  withNamed((named) => {
    const { name, site } = named;
    const script = 'mkdir once || exit 9; echo >&3; exec sleep 1000';
    const ready = ['--ready', 'fd:3', '--cwd', site.folder];
    assert.equal(named.run(...ready, '--', 'sh', '-c', script).status, 0);
    assert.equal(site.run('restart', name).status, 9);
    assert.equal(named.report()?.state, 'stopped');
  }));

test('what was started before the machine was, is not known', () =>
  withNamed((named) => {
    const { name, record, site } = named;
    assert.equal(named.run('--', ...sleeper).status, 0);
    assert.equal(site.run('stop', name).status, 0);
    const text = readFileSync(record, 'utf8');
    const boot = '00000000-0000-4000-8000-000000000000';
    writeFileSync(record, text.replace(/"boot":"[^"]*"/, `"boot":"${boot}"`));
    assert.doesNotMatch(site.run('list').stdout, new RegExp(name));
    assert.equal(site.run('start', name).status, 6);
  }));

test('a PID file and names exclude each other', () =>
  withSite((site) => {
    const file = ['--pidfile', site.path('x.pid')];
    assert.equal(site.run('run', ...file, '--', ...sleeper).status, 0);
    for (const [action, expected] of [
      ['stop', 2],
      ['restart', 2],
      ['reload', 2],
      ['status', 4],
    ] as const) {
      const { status, stderr } = site.run(action, ...file, 'web');
      assert.equal(status, expected, action);
      assert.match(stderr, /--pidfile and 'web' exclude each other/);
    }
    assert.equal(site.run('status', ...file).status, 0);
    assert.equal(site.run('stop', ...file).status, 0);
  }));

test('status that cannot tell leaves with 4, whatever the reason; with --help with 0', () =>
  withSite((site) => {
    site.describe({ a: { command: sleeper } });
    for (const args of [
      ['--no-such-option'],
      ['nobody-has-this-name'],
      ['--pidfile'],
      ['--pidfile', 'x', '--file', 'y'],
      ['--file', 'missing.json'],
      ['../a'],
    ])
      assert.equal(site.run('status', ...args).status, 4, args.join(' '));
    assert.equal(site.run('status', '--help').status, 0);
    site.write('daemons.json', '{ "daemons": ');
    const broken = site.run('status');
    assert.equal(broken.status, 4);
    assert.match(broken.stderr, /daemons\.json:\d+:\d+: not JSON/);
    assert.equal(site.run('stop', '--no-such-option').status, 2);
  }));
