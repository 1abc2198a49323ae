import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, needs, playLogged } from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';

interface Call {
  call: string;
  priority: string;
  lines: string[];
}

const first = new Program(nodes[0], 'program.cjs', 'syslog-console');

/** The report of a scenario, and the log up to its last entry. */
async function logged<T>(
  program: Program,
  scenario: string,
  env: Record<string, string> = {},
): Promise<[T, Entry[]]> {
  let result: [T, Entry[]];
  await playLogged(
    'rsyslogd',
    program,
    scenario,
    [],
    async (probe, log) => {
      const told = await probe.next<T>();
      result = [told, await log.entriesTo('the end')];
    },
    { env },
  );
  return result!;
}

/** What differs from one run of the same call to the next. */
const masked = (text: string): string => text.replace(/[\d.]+(ms|s)\b/, 'TIME');

/** Cuts a log where an entry `call N` stands. */
function byCall(entries: readonly Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  for (const entry of entries) {
    if (/^call \d+$/.test(entry.text)) groups.push([]);
    else if (entry.text !== 'the end') groups.at(-1)!.push(entry);
  }
  return groups;
}

for (const node of nodes)
  test(
    `Node.js ${node.version}: a SyslogConsole logs the lines that Node's console prints, each with its method's priority`,
    needs('rsyslogd'),
    async () => {
      const program = new Program(node, 'program.cjs', 'syslog-console');
      // What would colour Node's own.
      const env = { FORCE_COLOR: '3' };
      const [calls, entries] = await logged<Call[]>(program, 'compare', env);
      const groups = byCall(entries);
      assert.equal(groups.length, calls.length);
      for (const [index, { call, priority, lines }] of calls.entries())
        assert.deepEqual(
          groups[index]!.map((entry) => [entry.priority, masked(entry.text)]),
          lines.map((line) => [`daemon.${priority}`, masked(line)]),
          call,
        );
      assert.ok(entries.every(({ ident }) => ident === 'oracle'));
    },
  );

for (const door of ['program.cjs', 'program.mjs'])
  test(
    `${door}: it is a whole console, whose methods need no 'this', and shares a stream`,
    needs('rsyslogd'),
    async () => {
      const program = new Program(nodes[0], door, 'syslog-console');
      const [told, entries] = await logged(program, 'whole');
      assert.deepEqual(told, {
        missing: [],
        shared: true,
        stats: 'object',
        is: [true, true, false, false],
        flushed: true,
      });
      const ident = 'whole';
      for (const entry of entries) assert.equal(entry.ident, ident);
      const lines = entries.map(({ priority, text }) => [priority, text]);
      const isFrame = ([, text]: string[]): boolean =>
        text!.startsWith('    at ');
      assert.ok(lines.some(isFrame));
      assert.ok(lines.filter(isFrame).every(([is]) => is === 'local2.debug'));
      assert.deepEqual(
        lines.filter((line) => !isFrame(line)),
        [
          ['local2.info', 'detached log'],
          ['local2.err', 'detached error'],
          ['local2.debug', 'Trace: detached trace'],
          ['local2.warning', 'while it is shown'],
          ['local2.err', 'error of chatty'],
          ['local2.warning', 'while it is shown'],
          ['local2.info', 'chatty'],
          ['local2.warning', "each 0 [ 'each' ]"],
          ['local2.info', 'promised'],
          ['local2.warning', 'louder: text'],
          ['local2.info', 'the end'],
        ],
      );
    },
  );

test('options that make no stream make no console', async () => {
  const options = { facility: 'deamon' };
  await first.play('refused', [options], {}, async (probe) => {
    const { code, message } = await probe.next<Record<string, string>>();
    assert.equal(code, 'ERR_INVALID_ARG_VALUE');
    assert.match(message!, /options\.facility/);
  });
});
