import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe } from 'node:test';
import { ask, freePort, needsInetd, needsXinetd } from './helpers/inetd';
import { ending, run, type Told, withLauncher } from './helpers/launchers';
import { needs, needsRootAnd, type Reporter } from './helpers/surroundings';
import { firstLine } from './helpers/pidfile';
import { until } from './helpers/scenario';

// Runs what docs/surroundings.md tells to write, at other places.

const root = join(__dirname, '..');
const guide = readFileSync(join(root, 'docs/surroundings.md'), 'utf8');
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
};

/** The files that the guide shows, by the paths in their first lines. */
const documented = new Map(
  [
    ...guide.matchAll(
      /^```\w*\n((?:#!.*\n)?(?:#|\/\/|;) (\/\S+)\n[^]*?)^```/gm,
    ),
  ].map(([, text, path]) => [path!, text!]),
);

/** Writes such a file into the reporter's folder. */
function write(
  { folder }: Reporter<Told>,
  path: string,
  port: number,
  name = path.slice(path.lastIndexOf('/') + 1),
): string {
  const text = documented.get(path);
  assert.ok(text !== undefined, `${path} is not in docs/surroundings.md`);
  const file = join(folder, name);
  writeFileSync(
    file,
    text
      .replaceAll('/usr/bin/node', process.execPath)
      .replaceAll(/\/(srv\/clock|run|var\/log)\//g, `${folder}/`)
      .replaceAll(/\b80(80|13)\b/g, String(port)),
  );
  chmodSync(file, 0o755);
  return file;
}

async function install(reporter: Reporter<Told>): Promise<number> {
  const port = await freePort();
  const modules = join(reporter.folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(root, join(modules, 'posix-daemonize'));
  write(reporter, '/srv/clock/clock.mjs', port);
  write(reporter, '/srv/clock/answer.mjs', port);
  return port;
}

const year = new RegExp(` ${new Date().getUTCFullYear()} |^\\d{4}-\\d\\d-`);

async function expectTime(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    headers: { connection: 'close' },
  });
  assert.match(await response.text(), year);
}

async function expectDone(...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(...command);
  assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const pidOf = ({ folder }: Reporter<Told>): number | undefined => {
  const file = join(folder, 'clock.pid');
  return existsSync(file) ? Number(firstLine(file)) : undefined;
};

describe('docs/surroundings.md', () => {
  withLauncher(
    'the service of s6',
    needs(['s6-supervise', 's6']),
    async (reporter) => {
      const port = await install(reporter);
      const service = join(reporter.folder, 'service');
      mkdirSync(service);
      write(reporter, '/etc/s6/clock/run', port, 'service/run');
      assert.match(
        guide,
        /`notification-fd` beside `run` names: here it holds `3`/,
      );
      writeFileSync(join(service, 'notification-fd'), '3\n');
      const child = reporter.start(['s6-supervise', service], { env });
      await until('s6', () => pidOf(reporter) !== undefined);
      await expectDone('s6-svwait', '-U', '-t', '20000', service);
      await expectTime(port);
      await expectDone('s6-svc', '-dx', service);
      assert.deepEqual(await ending(child), [0, null]);
      assert.equal(pidOf(reporter), undefined);
    },
  );

  withLauncher(
    'the service of runit',
    needs(['runsv', 'runit']),
    async (reporter) => {
      const port = await install(reporter);
      const service = join(reporter.folder, 'service');
      mkdirSync(service);
      write(reporter, '/etc/sv/clock/run', port, 'service/run');
      const child = reporter.start(['runsv', service], { env });
      await until('runsv', () => pidOf(reporter) !== undefined);
      const sv = ['sv', '-w', '20'];
      const state = await expectDone(...sv, 'status', service);
      assert.ok(state.includes(`(pid ${pidOf(reporter)})`), state);
      await expectDone(...sv, 'exit', service);
      assert.deepEqual(await ending(child), [0, null]);
      assert.equal(pidOf(reporter), undefined);
    },
  );

  withLauncher(
    'the program of supervisord',
    needs(['supervisord', 'supervisor']),
    async (reporter) => {
      const port = await install(reporter);
      const main = join(reporter.folder, 'supervisord.conf');
      const included = write(
        reporter,
        '/etc/supervisor/conf.d/clock.conf',
        port,
      );
      const log = join(reporter.folder, 'log');
      writeFileSync(
        main,
        `[supervisord]
nodaemon = true
logfile = ${log}
pidfile = ${log}.pid
[include]
files = ${included}
`,
      );
      const child = reporter.start(['supervisord', '-c', main], { env });
      const said = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
      await until('RUNNING', () => said().includes('clock entered RUNNING'));
      child.kill('SIGTERM');
      assert.deepEqual(await ending(child), [0, null]);
      assert.match(said(), /stopped: clock \(exit status 0\)/);
    },
  );

  withLauncher(
    'the init script with start-stop-daemon',
    needsRootAnd(['start-stop-daemon', 'dpkg']),
    async (reporter) => {
      const port = await install(reporter);
      const script = write(reporter, '/etc/init.d/clock', port);
      const act = async (action: string) => (await run(script, action)).status;
      try {
        assert.equal(await act('start'), 0);
        await expectTime(port);
        assert.equal(await act('start'), 0);
        assert.equal(await act('status'), 0);
      } finally {
        assert.equal(await act('stop'), 0);
      }
      assert.equal(pidOf(reporter), undefined);
      assert.equal(await act('status'), 3);
      assert.equal(await act('stop'), 0);
    },
  );

  for (const [file, command, needed] of [
    ['/etc/inetd.conf', ['inetd', '-i'], needsInetd],
    ['/etc/xinetd.d/clock', ['xinetd', '-dontfork', '-f'], needsXinetd],
  ] as const)
    withLauncher(`the service of ${command[0]}`, needed, async (reporter) => {
      const port = await install(reporter);
      reporter.start([...command, write(reporter, file, port, 'conf')]);
      assert.match(await ask(port, ''), year);
      const log = join(reporter.folder, 'clock.log');
      assert.equal(readFileSync(log, 'utf8'), '');
    });
});
