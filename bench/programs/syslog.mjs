// Messages of 100 bytes, a hundred in each turn of the event loop. Prints when
// the first was sent (ms of CLOCK_MONOTONIC), how long the loop was busy and
// the time of the processor, in ms.
//
// usage: syslog.mjs LOGGER COUNT
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { loggers } from './syslog-loggers.mjs';

const [name, count] = process.argv.slice(2);
const inTurn = 100;
const length = 100;

const { log, room, end } = await loggers[name]();
const texts = Array.from({ length: Number(count) }, (_, number) =>
  Buffer.from(`#${number} `.padEnd(length, '-')).toString(),
);
await setImmediate(); // the loop runs from here on
const before = performance.eventLoopUtilization();
const cpu = process.cpuUsage();
const begin = Number(process.hrtime.bigint()) / 1e6;
for (let at = 0; at < texts.length; at += inTurn) {
  for (const text of texts.slice(at, at + inTurn)) log(text);
  await room();
}
await end();
const { user, system } = process.cpuUsage(cpu);
const { active } = performance.eventLoopUtilization(before);
console.log(
  JSON.stringify({ begin, loop: active, cpu: (user + system) / 1e3 }),
);
process.exit();
