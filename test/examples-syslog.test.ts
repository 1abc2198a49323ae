import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  daemon,
  describeDaemon,
  examples,
  launched,
  runExample,
  stop,
} from './helpers/examples';
import { type Entry, needs, withLogDaemon } from './helpers/log-daemon';
import { until } from './helpers/scenario';

type Lines = [priority: string, text: string][];

/**
 * Runs an example until `count` entries are in the log of rsyslogd, then ends
 * the daemon, which says so.
 * @returns priority and text of each entry, all of them the daemon's
 */
function logged(
  name: string,
  ident: string,
  count: number,
  last = /stopped/,
): Promise<Lines> {
  return withLogDaemon('rsyslogd', async (log) => {
    assert.deepEqual(runExample(name, [], log.through), launched());
    await until('the entries', () => log.entries().length >= count);
    const { pid } = log.entries()[0]!;
    const seen = describeDaemon(pid);
    await stop(pid);
    assert.deepEqual(seen, daemon(...seen.outputs));
    const isLast = ({ text }: Entry): boolean => last.test(text);
    await until('the last entry', () => log.entries().some(isLast));
    for (const entry of log.entries())
      assert.deepEqual([entry.ident, entry.pid], [ident, pid]);
    return log
      .entries()
      .map(({ priority, text }) => [priority.replace('daemon.', ''), text]);
  });
}

test(
  'syslog-stream.mjs logs its output, by priorities, to a second log, and its end',
  needs('rsyslogd'),
  async () => {
    const entries = await logged('syslog-stream', 'syslog-stream', 5, /^exits/);
    // Between the ways there is no order.
    const end = entries.pop();
    assert.deepEqual(entries.toSorted(), [
      ['authpriv.info', 'from another program'],
      ['err', 'by stderr'],
      ['info', 'by stdout'],
      ['notice', 'in two lines'],
      ['notice', 'with a priority'],
    ]);
    assert.deepEqual(end, ['notice', 'exits with status 0: SIGTERM']);
  },
);

test(
  'syslog-console.mjs logs by the console, with the priority of each method',
  needs('rsyslogd'),
  async () => {
    const entries = await logged('syslog-console', 'syslog-console', 5);
    const frames = entries.splice(4, entries.length - 5);
    assert.deepEqual(entries, [
      ['info', 'listening on localhost, port 8080'],
      ['debug', "{ users: [ 'anna', 'ben' ] }"],
      ['warning', 'the disk is nearly full'],
      ['err', 'Error: the disk is full'],
      ['info', 'stopped'],
    ]);
    assert.match(frames[0]![1], /^ *at .*syslog-console\.mjs:\d+:\d+$/);
    for (const [priority, text] of frames) {
      assert.equal(priority, 'err');
      assert.match(text, /^ *at /);
    }
  },
);

test(
  "pino.mjs logs through pino's worker, with the priority of each level",
  needs('rsyslogd'),
  async () => {
    const entries = await logged('pino', 'pino-example', 5);
    const parsed = entries.map(([priority, text]) => [
      priority,
      JSON.parse(text) as object,
    ]);
    const failure = (parsed[3]![1] as { err: { stack: string } }).err;
    assert.match(failure.stack, /^Error: the disk is full\n +at /);
    assert.deepEqual(parsed, [
      ['info', { port: 8080, msg: 'listening' }],
      ['debug', { msg: 'a request' }],
      ['warning', { msg: 'the disk is nearly full' }],
      [
        'err',
        {
          err: { ...failure, type: 'Error', message: 'the disk is full' },
          msg: 'cannot write',
        },
      ],
      ['crit', { msg: 'giving up' }],
      ['info', { msg: 'stopped' }],
    ]);
  },
);

test(
  'winston.mjs logs through a transport, with the priority of each level',
  needs('rsyslogd'),
  async () => {
    assert.deepEqual(await logged('winston', 'winston-example', 5), [
      ['info', 'listening on localhost, port 8080'],
      ['debug', 'a request'],
      ['warning', 'the disk is nearly full'],
      ['err', 'the disk is full'],
      ['crit', 'giving up'],
      ['info', 'stopped'],
    ]);
  },
);

test("the transport gives each of pino's levels, and those between, a priority", async () => {
  // It is an ES module: a require of it would be one of its own.
  const { priorityOf } = (await import(
    pathToFileURL(join(examples, 'pino-transport.mjs')).href
  )) as { priorityOf: (level: number) => string };
  assert.deepEqual(
    [1, 10, 20, 29, 30, 35, 40, 50, 59, 60, 100].map(priorityOf),
    [
      ...['debug', 'debug', 'debug', 'debug', 'info', 'info', 'warning'],
      ...['err', 'err', 'crit', 'crit'],
    ],
  );
});
