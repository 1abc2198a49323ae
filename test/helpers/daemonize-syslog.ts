/** Daemons with the option `syslog`, and what rsyslogd has of them. */
import assert from 'node:assert/strict';
import type { LaunchOptions } from './launch';
import { type Entry, playLogged } from './log-daemon';
import { nodes } from './nodes';
import { Program } from './programs';

export const scenarios = 'daemonize-syslog';
export const first = new Program(nodes[0], 'program.cjs', scenarios);
export const module = new Program(nodes[0], 'program.mjs', scenarios);

export interface Logged {
  report: Record<string, unknown>;
  entries: Entry[];
  stderr: string;
}

/** All that a daemon logs till after its end. */
export async function loggedBy(
  program: Program,
  scenario: string,
  args: readonly unknown[],
  launch: LaunchOptions = {},
): Promise<Logged> {
  let logged: Logged;
  await playLogged(
    'rsyslogd',
    program,
    scenario,
    args,
    async (probe, log, stderr) => {
      const [report = {}] = await probe.gone<Logged['report']>();
      logged = { report, stderr, entries: await log.settled() };
    },
    launch,
  );
  return logged!;
}

/** Priority and text of each entry, all of them the daemon's. */
export function linesOf({
  entries,
  report: { pid },
}: Logged): [string, string][] {
  for (const entry of entries)
    assert.deepEqual([entry.ident, entry.pid], ['program', pid]);
  return entries.map(({ priority, text }) => {
    const [facility, level] = priority.split('.');
    assert.equal(facility, 'daemon');
    return [level!, text];
  });
}

/** The error that daemons end by, as Node prints it, but once and as `crit`. */
export function assertStack(lines: readonly string[]): void {
  assert.deepEqual(lines.slice(0, 2), ['TypeError: first', 'second']);
  assert.match(lines[2]!, /^ {4}at .*daemonize-syslog\.cjs:\d+:\d+/);
  const cause = lines.findIndex((line) => line.includes('[cause]'));
  assert.match(lines[cause]!, /^ {2}\[cause\]: RangeError: the reason$/);
  assert.ok(lines.includes('  field: 7,'));
  assert.equal(lines.at(-1), '}');
  assert.equal(lines.filter((line) => line.includes('reason')).length, 1);
}
