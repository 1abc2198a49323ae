import { openSync, writeSync } from 'node:fs';
import { daemonize } from '../../lib/index.mjs';
if (process.env.BENCH_IMPORTS) await import('./imports.cjs');

daemonize();
writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
