const { spawn } = require('node:child_process');
const { openSync, writeSync } = require('node:fs');
if (process.env.BENCH_IMPORTS) require('./imports.cjs');

if (process.env.DETACHED) {
  writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
} else {
  spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, DETACHED: '1' },
  }).unref();
}
