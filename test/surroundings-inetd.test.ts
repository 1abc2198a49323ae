import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { describe } from 'node:test';
import {
  freePort,
  needsInetd,
  needsXinetd,
  startInetd,
  startXinetd,
} from './helpers/inetd';
import { until } from './helpers/scenario';
import {
  call,
  expect,
  needs,
  type Reporter,
  stays,
  withReporter,
} from './helpers/surroundings';

describe('inetd', () => {
  for (const wait of ['nowait', 'wait'])
    withReporter(`openbsd-inetd, ${wait}`, needsInetd, async (reporter) => {
      const port = await freePort();
      startInetd(reporter, port, `stream tcp ${wait}`);
      await expectCalled(reporter, port, /\(inet\)$/);
    });

  withReporter(
    'openbsd-inetd, wait, with datagrams',
    needsInetd,
    async (reporter) => {
      const port = await freePort();
      startInetd(reporter, port, 'dgram udp wait');
      const socket = createSocket('udp4');
      await until('the report', () => {
        // Lost while nobody listens.
        socket.send('hello', port, '127.0.0.1');
        return reporter.has('service');
      });
      socket.close();
      expect(await reporter.report('service'), stays('inetd', /\(inet\)$/));
    },
  );

  for (const wait of ['no', 'yes'])
    withReporter(`xinetd, wait = ${wait}`, needsXinetd, async (reporter) => {
      const port = await freePort();
      startXinetd(reporter, port, `wait = ${wait}`);
      await expectCalled(reporter, port, /\(inet\)$/);
    });

  for (const options of [['--inetd', '--accept'], ['--inetd']])
    withReporter(
      `systemd-socket-activate ${options.join(' ')}`,
      needs(['systemd-socket-activate', 'systemd']),
      async (reporter) => {
        const socket = join(reporter.folder, 'service');
        const activate = ['systemd-socket-activate', ...options, '-l', socket];
        reporter.start([...activate, ...reporter.command('service')]);
        await expectCalled(reporter, socket, /\(unix\)$/);
      },
    );
});

withReporter(
  'systemd-socket-activate: systemd',
  needs(['systemd-socket-activate', 'systemd']),
  async (reporter) => {
    const socket = join(reporter.folder, 'service');
    const activate = ['systemd-socket-activate', '-l', socket];
    reporter.start([...activate, ...reporter.command('service')]);
    const caller = await call(socket);
    expect(
      await reporter.report('service'),
      stays('systemd', /^LISTEN_PID is this process$/),
    );
    caller.destroy();
  },
);

async function expectCalled(
  reporter: Reporter,
  address: number | string,
  evidence: RegExp,
): Promise<void> {
  const caller = await call(address);
  try {
    expect(await reporter.report('service'), stays('inetd', evidence));
  } finally {
    caller.destroy();
  }
}
