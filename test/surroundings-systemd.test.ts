import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  call,
  type Expected,
  expect,
  needsRootAnd,
  shell,
  stays,
  withReporter,
} from './helpers/surroundings';

const systemdPid1 = join(__dirname, 'helpers/systemd-pid1');

withReporter(
  'services of systemd as process 1',
  needsRootAnd(['systemctl', 'systemd']),
  async (reporter) => {
    const command = (label: string) =>
      reporter.command(label, '/mnt').join(' ');
    const script = join(reporter.folder, 'script');
    writeFileSync(script, '#!/bin/sh\n"$@"\nexit $?\n');
    chmodSync(script, 0o755);
    writeFileSync(
      join(reporter.folder, 'program.cjs'),
      `const [, , node, ...args] = process.argv;
      require('child_process').spawnSync(node, args);`,
    );
    const services: Record<string, string[]> = {
      simple: ['Type=simple', `ExecStart=${command('simple')}`],
      notify: ['Type=notify', `ExecStart=${command('notify')}`],
      forking: [
        'Type=forking',
        'PIDFile=/run/forking.pid',
        `ExecStart=${command('forking')}`,
      ],
      unnamed: ['Type=forking', `ExecStart=${command('unnamed')}`],
      wrapped: [`ExecStart=/bin/sh -c "${command('wrapped')}"`],
      scripted: [`ExecStart=/mnt/script ${command('scripted')}`],
      'scripted-notify': [
        'Type=notify',
        'NotifyAccess=all',
        `ExecStart=/mnt/script ${command('scripted-notify')}`,
      ],
      inherited: [
        'Type=notify',
        `ExecStart=${process.execPath} /mnt/program.cjs ${command('inherited')}`,
      ],
      old: [`ExecStart=/usr/bin/env -u SYSTEMD_EXEC_PID ${command('old')}`],
      'accepts@': ['StandardInput=socket', `ExecStart=${command('accepts')}`],
    };
    const write = (name: string, lines: string[]) => {
      const text = `[Unit]\nDefaultDependencies=no\n${lines.join('\n')}\n`;
      writeFileSync(join(reporter.folder, name), text);
    };
    for (const [name, lines] of Object.entries(services))
      write(`${name}.service`, ['[Service]', ...lines]);
    write('accepts.socket', [
      '[Socket]',
      'ListenStream=/mnt/accepts',
      'Accept=yes',
    ]);
    const wanted = Object.keys(services)
      .filter((name) => !name.endsWith('@'))
      .map((name) => `${name}.service`);
    write('all.target', [`Wants=accepts.socket ${wanted.join(' ')}`]);

    const booted = reporter.start(
      [systemdPid1, reporter.folder, 'all.target'],
      { detached: true },
    );
    try {
      const own = 'SYSTEMD_EXEC_PID is this process';
      const expected: Record<string, Expected> = {
        simple: stays('systemd', new RegExp(`^${own}$`)),
        notify: stays('systemd', new RegExp(`^${own}, NOTIFY_SOCKET is set`)),
        forking: {
          launcher: 'systemd',
          detach: true,
          evidence: new RegExp(`^${own}, PIDFILE is set`),
        },
        unnamed: stays('systemd', new RegExp(`^${own}$`)),
        wrapped: stays('systemd', /^SYSTEMD_EXEC_PID is (sh, which|this)/),
        scripted: { ...shell, evidence: /^started by script/ },
        'scripted-notify': stays(
          'systemd',
          /^SYSTEMD_EXEC_PID is the parent, the shell script script, NOTIFY/,
        ),
        inherited: { ...shell, evidence: /^started by program\.cjs/ },
        old: stays(
          'systemd',
          /^INVOCATION_ID is set and the parent is systemd/,
        ),
      };
      for (const [name, what] of Object.entries(expected))
        expect(await reporter.report(name), what);
      const caller = await call(join(reporter.folder, 'accepts'));
      expect(await reporter.report('accepts'), stays('inetd', /\(unix\)$/));
      caller.destroy();
    } finally {
      // All but what is inside, which ends with process 1.
      process.kill(-booted.pid!, 'SIGKILL');
    }
  },
);
