// A process with a heap of its own becomes a daemon, and tells how long it
// took until the last process ran JavaScript.
//
// usage: heap.cjs pair|daemonize objects|buffers MB
const { writeSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout } = require('node:timers/promises');
const {
  _exit,
  daemonize,
  fork,
  setsid,
  waitpid,
} = require('../../lib/index.js');
// The addon that the package has loaded as well.
const binding = require('node-gyp-build')(join(__dirname, '../..'));

const [how, kind, megabytes] = process.argv.slice(2);

const make = {
  objects: (id) => ({
    id,
    name: `customer ${id}`,
    tags: ['new', `group ${id % 1000}`],
    address: { street: `${id} Main Street`, balance: id / 100 },
  }),
  buffers: () => Buffer.alloc(1024, 1),
};

const ways = {
  pair() {
    const begin = now();
    const child = fork();
    if (child > 0) {
      waitpid(child);
      _exit(0);
    }
    const first = binding.forkTimes();
    setsid();
    if (fork() > 0) _exit(0);
    return { ms: now() - begin, steps: [first, binding.forkTimes()] };
  },
  daemonize() {
    const begin = now();
    daemonize({ stdout: 'inherit' });
    return { ms: now() - begin, steps: [binding.forkTimes()] };
  },
};

/** ms of CLOCK_MONOTONIC, which is one for all processes */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

function fill() {
  const held = [];
  while (process.memoryUsage.rss() < megabytes * 1e6)
    held.push(Array.from({ length: 10_000 }, (_, id) => make[kind](id)));
  return held;
}

async function main() {
  const held = fill();
  // The collector's threads finish what the filling gave them to do.
  await setTimeout(300);
  const rss = process.memoryUsage.rss();
  const { ms, steps } = ways[how]();
  writeSync(1, JSON.stringify({ ms, steps, rss, held: held.length }));
  _exit(0);
}

void main();
