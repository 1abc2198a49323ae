import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Probe } from './launch';
import type { Program } from './programs';
import { until, withFolder } from './scenario';

export type Kind = 'busybox' | 'rsyslogd';

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** For tests that a log daemon is started for. */
export function needs(kind: Kind): { skip: string | false } {
  if (!canMount) return { skip: 'run as root with CAP_SYS_ADMIN' };
  const { error } = spawnSync(kind, [kind === 'busybox' ? '--help' : '-v']);
  return { skip: error !== undefined && `install ${kind.replace(/d$/, '')}` };
}

const helper = (name: string): string => join(__dirname, name);

/** `daemon.info program[7]: text`, as both log daemons tell it. */
export interface Entry {
  priority: string;
  ident: string;
  pid: number;
  text: string;
}

/** A log daemon of a test's own; see with-syslogd. */
export class LogDaemon {
  readonly pid: number;
  readonly #log: string;

  constructor(folder: string) {
    this.pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    this.#log = join(folder, 'log');
  }

  entries(): Entry[] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [, priority, ident, pid, text] =
        /(\w+\.\w+) ([\w-]+)\[(\d+)\]: ?(.*)$/.exec(line) ?? [];
      if (text === undefined) return [];
      return [{ priority: priority!, ident: ident!, pid: Number(pid), text }];
    });
  }

  async entriesTo(last: string): Promise<Entry[]> {
    await until(`an entry '${last}'`, () =>
      this.entries().some(({ text }) => text === last),
    );
    return this.entries();
  }
}

/** Plays a scenario while a log daemon listens on a /dev/log of its own. */
export function playLogged<T>(
  kind: Kind,
  program: Program,
  scenario: string,
  args: readonly unknown[],
  use: (probe: Probe, log: LogDaemon, stderr: string) => Promise<T>,
): Promise<T> {
  return withFolder((folder) => {
    const through = [
      helper('private-dev'),
      helper('with-syslogd'),
      kind,
      folder,
    ];
    return program.play(
      scenario,
      args,
      { through },
      async (probe, { status, stderr }) => {
        assert.equal(status, 0, stderr);
        const log = new LogDaemon(folder);
        try {
          return await use(probe, log, stderr);
        } finally {
          process.kill(log.pid, 'SIGKILL');
          await until('the end of the log daemon', () => isGone(log.pid));
        }
      },
    );
  });
}

function isGone(pid: number): boolean {
  try {
    return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

export const texts = (entries: readonly Entry[], priority: string): string[] =>
  entries
    .filter((entry) => entry.priority === priority)
    .map(({ text }) => text);
