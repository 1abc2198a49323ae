import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facilities, priorities } from '../src/constants';
import {
  type Entry,
  type Kind,
  kinds,
  needs,
  playLogged,
} from './helpers/log-daemon';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { until } from './helpers/scenario';

const program = new Program(nodes[0], 'program.cjs', 'syslog-daemons');

/** Ways to send, as the fixture names them. */
const senders = ['syslog', 'stream'] as const;

type Message = [facility: string, priority: string, text: string];

const messages: Message[] = [
  // What comes from a process is not the kernel's, some log daemons say.
  ...Object.keys(facilities)
    .slice(1)
    .map((it): Message => [it, 'info', `of the kind ${it}`]),
  ...Object.keys(priorities).map((it): Message => ['local3', it, `as ${it}`]),
  ['daemon', 'notice', 'grüße €😀 日本語 \u{10ffff}'],
  ['daemon', 'notice', '100 % %s %n'],
  ['daemon', 'notice', 'x'.repeat(8000)],
  ['daemon', 'notice', '€'.repeat(2660)],
];

/** As much of the texts as a log daemon takes: busybox has a buffer of 1 KiB. */
function cut(kind: Kind, entries: readonly Entry[]): Entry[] {
  if (kind !== 'busybox') return [...entries];
  const start = (text: string): string =>
    Buffer.from(text).subarray(0, 900).toString('latin1');
  return entries.map((entry) => ({ ...entry, text: start(entry.text) }));
}

/** In order for each facility: each may have a stream of its own. */
const byFacility = (entries: readonly Entry[]): Record<string, Entry[]> =>
  Object.fromEntries(
    Object.keys(facilities).map((facility) => [
      facility,
      entries.filter(({ priority }) => priority.startsWith(`${facility}.`)),
    ]),
  );

for (const sender of senders)
  for (const kind of kinds)
    test(
      `${kind} gets by ${sender} what a daemon sends, before and after a restart: facility, priority, name, pid, text`,
      needs(kind),
      () =>
        playLogged(
          kind,
          program,
          'send',
          [sender, messages],
          async (probe, log) => {
            const { pid, stack } = await probe.next<{
              pid: number;
              stack: string;
            }>();
            const lines = stack.split('\n');
            assert.ok(lines.length > 3);
            const expected = [
              ...messages,
              ...lines.map((line): Message => ['daemon', 'crit', line]),
              ['daemon', 'alert', 'the end'] satisfies Message,
            ].map(([facility, priority, text]) => ({
              priority: `${facility}.${priority}`,
              ident: 'my-clock',
              pid,
              text,
            }));
            const own = (): Entry[] =>
              log.entries().filter(({ ident }) => ident === 'my-clock');
            const before = expected.length - 1;
            await until('all but one', () => own().length >= before);
            await log.restart();
            process.kill(pid, 'SIGUSR2');
            await log.entriesTo('the end');
            assert.deepEqual(
              byFacility(cut(kind, own())),
              byFacility(cut(kind, expected)),
            );
          },
        ),
    );
