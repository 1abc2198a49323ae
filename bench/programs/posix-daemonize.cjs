const { openSync, writeSync } = require('node:fs');
const { daemonize } = require('../../lib/index.js');
if (process.env.BENCH_IMPORTS) require('./imports.cjs');

daemonize();
writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
