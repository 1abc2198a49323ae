// 10,000 messages a second to a log daemon that is stopped: its parent. Prints
// in ms the largest delay of the event loop and the longest wait for a stat()
// of a file, and in MB by how much the memory has grown.
//
// usage: syslog-stopped.mjs LOGGER SECONDS
import { stat } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { loggers } from './syslog-loggers.mjs';

const [name, seconds] = process.argv.slice(2);
const perMillisecond = 10;

const { log } = await loggers[name]();
process.kill(process.ppid, 'SIGSTOP');
process.on('exit', () => process.kill(process.ppid, 'SIGCONT'));

const memory = process.memoryUsage.rss();
const delays = monitorEventLoopDelay({ resolution: 1 });
const begin = performance.now();
const passed = () => performance.now() - begin;
let longest = 0;
let asked;
let sent = 0;

// The modules that all this needs are loaded before it counts.
await setTimeout(50);
delays.enable();
while (passed() < seconds * 1000) {
  while (sent < passed() * perMillisecond) log(`#${sent++} `.padEnd(100, '-'));
  if (asked === undefined) void ask();
  await setTimeout(10);
}
delays.disable();

console.log(
  JSON.stringify({
    delay: delays.max / 1e6,
    file: Math.max(longest, asked === undefined ? 0 : passed() - asked),
    memory: (process.memoryUsage.rss() - memory) / 1e6,
  }),
);
process.exit();

async function ask() {
  asked = passed();
  await stat('/');
  longest = Math.max(longest, passed() - asked);
  asked = undefined;
}
