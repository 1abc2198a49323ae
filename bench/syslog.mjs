// Messages to the system log: how many a second, and what each costs the
// program; and what becomes of the program while the log daemon is stopped.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { interleave, output, program, round, summarize } from './sample.mjs';

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));
const privateDev = fromHere('../test/helpers/private-dev');
const withSyslogd = fromHere('with-syslogd');

const rows = [
  { name: 'syslog(3) in C' },
  { name: '`SyslogStream.send()`', logger: 'send' },
  { name: '`SyslogStream.write()`', logger: 'write' },
  { name: '`SyslogConsole.log()`', logger: 'console' },
  { name: 'modern-syslog', logger: 'modernSyslog', isPackage: true },
  { name: 'winston-syslog', logger: 'winstonSyslog', isPackage: true },
];

const stoppedRows = [
  { name: 'no logging', logger: 'none' },
  ...rows.filter(
    ({ logger, isPackage }) => logger === 'send' || (logger && isPackage),
  ),
];

/**
 * @param {{syslog: number, stopped: number}} rounds
 * @param {{messages: number, seconds: number}} flood
 * @returns undefined where there can be no /dev/log of our own
 */
export async function measureSyslog(rounds, { messages, seconds }) {
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-syslog-'));
  const receiver = compile('syslog-receiver', folder);
  const inC = compile('syslog', folder);
  const command = ({ logger }) => [
    ...(logger ? [process.execPath, program('syslog.mjs'), logger] : [inC]),
    String(messages),
  ];
  const flood = async (receive) =>
    tabulate(
      await interleave(rounds.syslog, rows, (row) => receive(command(row))),
      messages,
    );
  try {
    return {
      receiver: await flood((words) => receiveByCounter(receiver, words)),
      ...(!spawnSync('rsyslogd', ['-v']).error && {
        rsyslogd: await flood((words) => receiveByRsyslogd(folder, words)),
      }),
      stopped: await measureStopped(rounds.stopped, seconds, receiver),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compile(name, folder) {
  const file = join(folder, name);
  const source = fromHere(`${name}.c`);
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', file, source]);
  return file;
}

/** What the sender says of itself, and the receiver of what came. */
function receiveByCounter(receiver, words) {
  const [sender, counts] = output(privateDev, [receiver, ...words])
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { ...sender, ...counts };
}

async function receiveByRsyslogd(parent, words) {
  const folder = mkdtempSync(join(parent, 'rsyslogd-'));
  const args = [withSyslogd, 'rsyslogd', folder, ...words];
  const sender = JSON.parse(output(privateDev, args));
  try {
    const log = join(folder, 'log');
    await untilStill(log);
    const numbers = readFileSync(log, 'latin1').match(/#\d+ /g) ?? [];
    const received = new Set(numbers).size;
    // Both clocks go on alike for the time of a run.
    const offset = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    const last = statSync(log).mtimeMs - offset;
    return { ...sender, received, doubled: numbers.length - received, last };
  } finally {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
  }
}

/** rsyslogd has a queue of its own: until half a second adds nothing. */
async function untilStill(file) {
  let size = -1;
  for (;;) {
    const now = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (now === size) return;
    size = now;
    await setTimeout(500);
  }
}

function tabulate(samples, messages) {
  const results = rows.map(({ name, isPackage }) => {
    const of = (figure) => summarize(samples.get(name).map(figure));
    return {
      name,
      isPackage,
      rate: of(({ received, begin, last }) => received / (last - begin)),
      loop: of(({ loop }) => (loop * 1000) / messages),
      cpu: of(({ cpu }) => (cpu * 1000) / messages),
      received: of(({ received }) => received / messages).min,
      doubled: of(({ doubled }) => doubled).median,
    };
  });
  const [c] = results;
  const packages = results.filter(({ isPackage }) => isPackage);
  const best = Math.max(...packages.map(({ rate }) => rate.median));
  return results.map(({ name, rate, loop, cpu, ...rest }) => ({
    name,
    rate: withRatio(rate, best),
    loop: withRatio(loop, c.loop.median),
    cpu: withRatio(cpu, c.cpu.median),
    received: rest.received,
    doubled: rest.doubled,
  }));
}

const withRatio = (summary, unit) => ({
  ...summary,
  ratio: round(summary.median / unit),
});

async function measureStopped(rounds, seconds, receiver) {
  const samples = await interleave(rounds, stoppedRows, ({ logger }) => {
    const words = [program('syslog-stopped.mjs'), logger, String(seconds)];
    const args = [receiver, process.execPath, ...words];
    return JSON.parse(output(privateDev, args).split('\n')[0]);
  });
  return stoppedRows.map(({ name }) => ({
    name,
    ...Object.fromEntries(
      ['delay', 'file', 'memory'].map((figure) => [
        figure,
        summarize(samples.get(name).map((sample) => sample[figure])),
      ]),
    ),
  }));
}
