import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import {
  expectDetached,
  expectStaying,
  isAlive,
  quote,
  run,
  type Told,
  withLauncher,
} from './helpers/launchers';
import { until } from './helpers/scenario';
import { needs, type Reporter } from './helpers/surroundings';

/** Makes the folder of a service, and the script that runs it. */
function makeService(
  reporter: Reporter<Told>,
  files: Record<string, string>,
  ...args: string[]
): string {
  const folder = join(reporter.folder, 'service');
  mkdirSync(folder);
  const command = quote(reporter.command('service', ...args));
  const script = `#!/bin/sh\nexec ${command}\n`;
  for (const [name, text] of Object.entries({ ...files, run: script }))
    writeFileSync(join(folder, name), text);
  chmodSync(join(folder, 'run'), 0o755);
  return folder;
}

async function expectRun(...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(...command);
  assert.equal(status, 0, `${command.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

describe('s6-supervise', () => {
  const installed = needs(['s6-supervise', 's6']);
  const waits = JSON.stringify({ ready: 'manual', notificationFd: 3 });
  const notified = { 'notification-fd': '3\n' };

  withLauncher(
    'learns when the daemon is ready, and starts it again',
    installed,
    async (reporter) => {
      const service = makeService(reporter, notified, waits, 'ready');
      const state = () => expectRun('s6-svstat', '-o', 'pid,ready', service);
      reporter.start(['s6-supervise', service]);
      for (const index of [0, 1]) {
        const told = await reporter.report('service', index);
        expectStaying(told, 'supervisor');
        assert.match(told.before.fds[3]!, /^pipe:/);
        assert.equal(told.fds[3], told.before.fds[3]);
        assert.equal(await state(), `${told.pid} false`);

        process.kill(told.pid, 'SIGUSR2');
        await expectRun('s6-svwait', '-U', '-t', '20000', service);
        assert.equal(await state(), `${told.pid} true`);

        await expectRun('s6-svc', '-r', service);
        await until('its end', () => !isAlive(told.pid));
      }
      await reporter.report('service', 2);
      await expectRun('s6-svc', '-wD', '-T', '20000', '-d', service);
      const deaths = await expectRun('s6-svdt', service);
      const ends = deaths.split('\n').map((line) => line.replace(/^\S+ /, ''));
      assert.deepEqual(ends, Array(3).fill('exitcode 0'));
    },
  );

  withLauncher(
    'has no notification-fd: daemonize() says so, and nothing is done',
    installed,
    async (reporter) => {
      const service = makeService(reporter, { down: '' }, waits);
      const supervise = reporter.start(['s6-supervise', service]);
      let said = '';
      supervise.stderr!.on('data', (text: Buffer) => (said += String(text)));
      await until('its control', () => isSupervised(service));
      await expectRun('s6-svc', '-o', service);
      await until('the message', () => said.includes('Node.js v'));
      assert.match(
        said,
        /'options\.notificationFd' must be a descriptor that the supervisor passed to this process/,
      );
    },
  );
});

function isSupervised(service: string): boolean {
  try {
    return readFileSync(join(service, 'supervise/status')).length > 0;
  } catch {
    return false;
  }
}

describe('runsv', () => {
  const installed = needs(['runsv', 'runit'], ['sv', 'runit']);

  withLauncher(
    'sees the daemon as its service: sv status, stop and start',
    installed,
    async (reporter) => {
      const service = makeService(reporter, {});
      const sv = (action: string) =>
        expectRun('sv', '-w', '20', action, service);
      reporter.start(['runsv', service]);
      const told = await reporter.report('service');
      expectStaying(told, 'supervisor');
      assert.match(
        await sv('status'),
        new RegExp(`^run: .*pid ${told.pid}\\)`),
      );
      assert.match(await sv('stop'), /^ok: down: /);
      assert.ok(!isAlive(told.pid));
      assert.match(await sv('start'), /^ok: run: /);
      const again = await reporter.report('service', 1);
      assert.match(
        await sv('status'),
        new RegExp(`^run: .*pid ${again.pid}\\)`),
      );
    },
  );

  withLauncher(
    'detach: true leaves it all the same',
    installed,
    async (reporter) => {
      const service = makeService(reporter, { down: '' }, '{"detach":true}');
      reporter.start(['runsv', service]);
      await until('its control', () => isSupervised(service));
      await expectRun('sv', 'once', service);
      const told = await reporter.report('service');
      expectDetached(told, 'supervisor');
      await until('the end of the launching process', () => {
        return !isAlive(told.before.pid);
      });
      assert.match(await expectRun('sv', '-w', '20', 'down', service), /down/);
      process.kill(told.pid, 'SIGUSR2');
      await reporter.report('alive');
    },
  );
});

describe('supervisord', () => {
  withLauncher(
    'sees the daemon RUNNING, and stops it',
    needs(['supervisord', 'supervisor'], ['supervisorctl', 'supervisor']),
    async (reporter) => {
      const at = (name: string) => join(reporter.folder, name);
      const file = at('supervisord.conf');
      writeFileSync(
        file,
        `[supervisord]
nodaemon = true
logfile = ${at('log')}
pidfile = ${at('supervisord.pid')}
[unix_http_server]
file = ${at('control')}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://${at('control')}
[program:service]
command = ${reporter.command('service').join(' ')}
autostart = true
`,
      );
      const control = (action: string) =>
        expectRun('supervisorctl', '-c', file, action, 'service');
      reporter.start(['supervisord', '-c', file]);
      const told = await reporter.report('service');
      expectStaying(told, 'supervisor');
      const log = () => readFileSync(at('log'), 'utf8');
      await until('RUNNING', () => log().includes('entered RUNNING state'));
      assert.match(
        await control('status'),
        new RegExp(`^service +RUNNING +pid ${told.pid},`),
      );
      assert.equal(await control('stop'), 'service: stopped');
      assert.match(log(), /stopped: service \(exit status 0\)/);
      assert.ok(!isAlive(told.pid));
    },
  );
});

describe('daemontools', () => {
  withLauncher(
    'supervise sees the daemon up, and down',
    needs(['supervise', 'daemontools'], ['svstat', 'daemontools']),
    async (reporter) => {
      const service = makeService(reporter, {});
      const child = reporter.start(['supervise', service]);
      const told = await reporter.report('service');
      expectStaying(told, 'supervisor');
      const state = await expectRun('svstat', service);
      assert.ok(state.includes(`: up (pid ${told.pid}) `), state);
      await expectRun('svc', '-dx', service);
      await until('the end of both', () => child.exitCode === 0);
      assert.ok(!isAlive(told.pid));
    },
  );
});
