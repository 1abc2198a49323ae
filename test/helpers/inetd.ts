import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { within } from './launch';
import { call, needsRootAnd, type Reporter } from './surroundings';

export const needsInetd = needsRootAnd(['inetd', 'openbsd-inetd']);
export const needsXinetd = needsRootAnd([
  'xinetd',
  'it by `node scripts/unpack-debian.mjs xinetd`: it conflicts with openbsd-inetd',
]);

type AnyReporter = Pick<
  Reporter<{ label: string }>,
  'command' | 'folder' | 'start'
>;

/** @param kind the fields of inetd.conf(5) from the socket's type to wait */
export function startInetd(
  reporter: AnyReporter,
  port: number,
  kind: string,
  command = reporter.command('service'),
): void {
  const file = join(reporter.folder, 'inetd.conf');
  const [program, ...args] = command;
  writeFileSync(
    file,
    `127.0.0.1:${port} ${kind} root ${program} ${program} ${args.join(' ')}\n`,
  );
  reporter.start(['inetd', '-i', file]);
}

/** @param kind `wait = yes` or `wait = no` */
export function startXinetd(
  reporter: AnyReporter,
  port: number,
  kind: string,
  command = reporter.command('service'),
): void {
  const file = join(reporter.folder, 'xinetd.conf');
  const [program, ...args] = command;
  writeFileSync(
    file,
    `service report
{
type = UNLISTED
socket_type = stream
protocol = tcp
bind = 127.0.0.1
port = ${port}
${kind}
user = root
server = ${program}
server_args = ${args.join(' ')}
}
`,
  );
  const log = join(reporter.folder, 'xinetd.log');
  reporter.start(['xinetd', '-dontfork', '-f', file, '-filelog', log]);
}

/**
 * A port that is free now, below those that the kernel gives out: a caller
 * that comes too early could be given the very port and call itself.
 */
export async function freePort(): Promise<number> {
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

/** Calls a service, says something and listens until it hangs up. */
export async function ask(port: number, text: string): Promise<string> {
  const caller = await call(port);
  caller.setEncoding('utf8').write(text);
  const answer = async (): Promise<string> => {
    let all = '';
    for await (const chunk of caller) all += String(chunk);
    return all;
  };
  return within(30_000, 'the answer', answer());
}
