import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until, withFolder } from './scenario';

/** Where a test's log daemons listen, one after the other. */
export class LogPlace {
  readonly folder: string;
  readonly path: string;
  /** What python's daemons got: `<30>Nov 22 21:14:48 clock[7]: text`. */
  readonly messages: string[] = [];
  #daemon: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.path = join(folder, 'log');
  }

  /** A small daemon in python. */
  async listen(kind: 'dgram' | 'stream' = 'dgram'): Promise<void> {
    const script = join(__dirname, 'log-server.py');
    const daemon = spawn('python3', [script, kind, this.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#daemon = daemon;
    // The first line may come together with messages.
    await new Promise<void>((listening) => {
      createInterface(daemon.stdout).on('line', (line) => {
        const message = JSON.parse(line) as string | null;
        if (message === null) listening();
        else this.messages.push(message);
      });
    });
  }

  /** rsyslogd, which writes to a file. */
  async startRsyslogd(): Promise<void> {
    const config = join(this.folder, 'conf');
    writeFileSync(
      config,
      `module(load="imuxsock" SysSock.Name="${this.path}" SysSock.RateLimit.Interval="0")
template(name="plain" type="string" string="%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\\n")
action(type="omfile" file="${this.#file}" template="plain")
`,
    );
    rmSync(this.path, { force: true });
    const pidfile = join(this.folder, 'pid');
    this.#daemon = spawn('rsyslogd', ['-n', '-f', config, '-i', pidfile], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await until('the socket of rsyslogd', () => existsSync(this.path));
  }

  get #file(): string {
    return join(this.folder, 'messages');
  }

  /** What rsyslogd wrote: `daemon.info clock[7]: text`. */
  written(): string[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
  }

  kill(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#daemon!.kill(signal);
  }

  /** Ends the daemon as its service would. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) return;
    this.#daemon = undefined;
    const gone = once(daemon, 'close');
    daemon.kill(signal);
    await gone;
  }

  async messagesTo(last: string): Promise<string[]> {
    await until(`a message '${last}'`, () =>
      this.messages.some((message) => message.endsWith(last)),
    );
    return this.messages;
  }
}

/** A place for log daemons, for the time of `use`. */
export function withLogPlace<T>(
  use: (place: LogPlace) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const place = new LogPlace(folder);
    try {
      return await use(place);
    } finally {
      await place.end('SIGKILL');
    }
  });
}

/** What a message is, without its time. */
export interface Message {
  priority: number;
  tag: string;
  text: string;
}

export function parse(message: string): Message {
  const [, priority, tag, text] =
    /^<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (.*?): (.*)$/s.exec(
      message,
    ) ?? assert.fail(message);
  return { priority: Number(priority), tag: tag!, text: text! };
}

export const textsOf = (messages: readonly string[]): string[] =>
  messages.map((message) => parse(message).text);

/** How a program ended, and what it said. */
export interface Played {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, at most for 30 s. */
export async function playProgram(
  node: string,
  ...args: (string | number)[]
): Promise<Played> {
  const child = spawn(node, args.map(String), {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const [status, signal] = (await once(child, 'close')) as [
    number | null,
    NodeJS.Signals | null,
  ];
  return { status, signal, ...said };
}
