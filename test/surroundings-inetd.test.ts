import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe } from 'node:test';
import { until } from './helpers/scenario';
import {
  call,
  expect,
  needs,
  needsRootAnd,
  type Reporter,
  stays,
  withReporter,
} from './helpers/surroundings';

describe('inetd', () => {
  for (const wait of ['nowait', 'wait'])
    withReporter(
      `openbsd-inetd, ${wait}`,
      needsRootAnd(['inetd', 'openbsd-inetd']),
      async (reporter) => {
        const port = await freePort();
        startInetd(reporter, `127.0.0.1:${port} stream tcp ${wait}`);
        await expectCalled(reporter, port, /\(inet\)$/);
      },
    );

  withReporter(
    'openbsd-inetd, wait, with datagrams',
    needsRootAnd(['inetd', 'openbsd-inetd']),
    async (reporter) => {
      const port = await freePort();
      startInetd(reporter, `127.0.0.1:${port} dgram udp wait`);
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
    withReporter(
      `xinetd, wait = ${wait}`,
      needsRootAnd([
        'xinetd',
        'xinetd (not beside openbsd-inetd: unpack it into the PATH)',
      ]),
      async (reporter) => {
        const port = await freePort();
        const [node, ...args] = reporter.command('service');
        const file = join(reporter.folder, 'xinetd.conf');
        writeFileSync(
          file,
          `service report
{
type = UNLISTED
socket_type = stream
protocol = tcp
bind = 127.0.0.1
port = ${port}
wait = ${wait}
user = root
server = ${node}
server_args = ${args.join(' ')}
}
`,
        );
        const log = join(reporter.folder, 'xinetd.log');
        reporter.start(['xinetd', '-dontfork', '-f', file, '-filelog', log]);
        await expectCalled(reporter, port, /\(inet\)$/);
      },
    );

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

function startInetd(reporter: Reporter, service: string): void {
  const file = join(reporter.folder, 'inetd.conf');
  const command = reporter.command('service');
  writeFileSync(file, `${service} root ${command[0]} ${command.join(' ')}\n`);
  reporter.start(['inetd', '-i', file]);
}

/**
 * A port that is free now, below those that the kernel gives out: a caller
 * that comes too early could be given the very port and call itself.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue; // taken
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
