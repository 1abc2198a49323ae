const { openSync, writeSync } = require('node:fs');
const daemon = require('daemon');
if (process.env.BENCH_IMPORTS) require('./imports.cjs');

// Its default for cwd is a function, which spawn() refuses.
daemon({ cwd: process.cwd() });
writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
