import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  call,
  type Expected,
  expect,
  shell,
  stays,
  withReporter,
} from './helpers/surroundings';
import { bootSystemd, needsSystemd } from './helpers/systemd';

withReporter(
  'services of systemd as process 1',
  needsSystemd,
  async (reporter) => {
    const command = (label: string) => reporter.command(label).join(' ');
    const script = join(reporter.folder, 'script');
    writeFileSync(script, '#!/bin/sh\n"$@"\nexit $?\n');
    chmodSync(script, 0o755);
    const program = join(reporter.folder, 'program.cjs');
    writeFileSync(
      program,
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
      scripted: [`ExecStart=${script} ${command('scripted')}`],
      'scripted-notify': [
        'Type=notify',
        'NotifyAccess=all',
        `ExecStart=${script} ${command('scripted-notify')}`,
      ],
      inherited: [
        'Type=notify',
        `ExecStart=${process.execPath} ${program} ${command('inherited')}`,
      ],
      old: [`ExecStart=/usr/bin/env -u SYSTEMD_EXEC_PID ${command('old')}`],
      'accepts@': ['StandardInput=socket', `ExecStart=${command('accepts')}`],
    };
    const unit = (lines: string[]) =>
      `[Unit]\nDefaultDependencies=no\n${lines.join('\n')}\n`;
    const units = Object.fromEntries(
      Object.entries(services).map(([name, lines]) => [
        `${name}.service`,
        unit(['[Service]', ...lines]),
      ]),
    );
    units['accepts.socket'] = unit([
      '[Socket]',
      'ListenStream=/mnt/accepts',
      'Accept=yes',
    ]);
    const wanted = Object.keys(services)
      .filter((name) => !name.endsWith('@'))
      .map((name) => `${name}.service`);
    const started = ['accepts.socket', ...wanted].join(' ');

    let folder = '';
    const booted = bootSystemd({
      units,
      visible: [reporter.folder],
      prepare: (path) => (folder = path),
      script: `systemctl start --no-block ${started}
               wait_for test -e /mnt/done`,
    });
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
      const caller = await call(join(folder, 'accepts'));
      expect(await reporter.report('accepts'), stays('inetd', /\(unix\)$/));
      caller.destroy();
    } finally {
      writeFileSync(join(folder, 'done'), '');
      await booted;
    }
  },
);
