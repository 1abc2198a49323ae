// No daemon: the program that the others would like to be as quick as.
const { openSync, writeSync } = require('node:fs');
if (process.env.BENCH_IMPORTS) require('./imports.cjs');

writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
