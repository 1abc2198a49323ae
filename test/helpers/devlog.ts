/** What scenarios of `test/fixtures/posix/syslog.cjs` send to /dev/log. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodes } from './nodes';

const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** For tests that have a /dev of their own. */
export const needsOwnDev = {
  skip:
    !canMount && 'run as root with CAP_SYS_ADMIN: /dev/log has to be our own',
};

const helper = (name: string): string => join(__dirname, name);

/** The command of a scenario. */
export const command = (
  scenario: string,
  ...args: readonly string[]
): string[] => [
  nodes[0].path,
  '--expose-gc',
  join(__dirname, '../fixtures/posix/syslog.cjs'),
  scenario,
  ...args,
];

/** Runs a command with a /dev of its own. */
export const withOwnDev = (
  ...words: readonly string[]
): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(helper('private-dev'), words, { maxBuffer: 1 << 26 });

/** The datagrams of a scenario, in order. */
export async function datagrams(
  scenario: string,
  ...args: readonly string[]
): Promise<string[]> {
  const { stdout } = await withOwnDev(
    'python3',
    helper('devlog.py'),
    ...command(scenario, ...args),
  );
  const { status, messages } = JSON.parse(stdout) as {
    status: number;
    messages: string[];
  };
  assert.equal(status, 0);
  return messages;
}

interface Message {
  priority: number;
  tag: string;
  text: string;
}

/** What they tell. */
export async function sent(
  ...args: Parameters<typeof datagrams>
): Promise<Message[]> {
  return (await datagrams(...args)).map(parse);
}

/** `<14>Nov 22 15:30:00 ident[7]: text` */
export function parse(datagram: string): Message {
  const [, priority, tag, text] =
    /^<(\d+)>\w{3} [ \d]\d \d\d:\d\d:\d\d (.*?): ?([^]*)$/.exec(datagram) ?? [];
  assert.ok(text !== undefined, datagram);
  return { priority: Number(priority), tag: tag!, text };
}
