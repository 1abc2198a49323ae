/** What the log daemons of the tests have written, in one form. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { facilities, priorities } from '../../src/constants';

/** `daemon.info program[7]: text`, as all log daemons tell it. */
export interface Entry {
  priority: string;
  ident: string;
  pid: number;
  text: string;
}

/** Entries of a file; what has no pid is left out. */
export function readLog(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, priority, ident, pid, text] =
      /(\w+\.\w+) ([\w-]+)\[(\d+)\]: ?(.*)$/.exec(line) ?? [];
    if (text === undefined) return [];
    return [
      {
        priority: priority!.replace(/warn$/, 'warning'), // busybox
        ident: ident!,
        pid: Number(pid),
        text,
      },
    ];
  });
}

/** Fields of journald's: numbers are text as well. */
interface Fields {
  SYSLOG_FACILITY: string;
  PRIORITY: string;
  SYSLOG_IDENTIFIER: string;
  SYSLOG_PID?: string;
  /** Bytes, where it is not all printable. */
  MESSAGE: string | number[];
}

/** Entries of a journal, those that came by /dev/log with a pid. */
export function readJournal(folder: string): Entry[] {
  if (!existsSync(folder)) return [];
  const json = execFileSync(
    'journalctl',
    ['--directory', folder, '--all', '--output=json', '_TRANSPORT=syslog'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return json
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Fields)
    .filter(({ SYSLOG_PID }) => SYSLOG_PID !== undefined)
    .map((fields) => ({
      priority: [
        name(facilities, Number(fields.SYSLOG_FACILITY) << 3),
        name(priorities, Number(fields.PRIORITY)),
      ].join('.'),
      ident: fields.SYSLOG_IDENTIFIER,
      pid: Number(fields.SYSLOG_PID),
      text:
        typeof fields.MESSAGE === 'string'
          ? fields.MESSAGE
          : Buffer.from(fields.MESSAGE).toString(),
    }));
}

const name = (names: Record<string, number>, number: number): string =>
  Object.entries(names).find(([, it]) => it === number)![0];

/** Of one priority, in order. */
export const texts = (entries: readonly Entry[], priority: string): string[] =>
  entries
    .filter((entry) => entry.priority === priority)
    .map(({ text }) => text);
