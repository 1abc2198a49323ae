import { openSync, writeSync } from 'node:fs';
import { daemonizeProcess } from 'daemonize-process';
if (process.env.BENCH_IMPORTS) await import('./imports.cjs');

daemonizeProcess();
writeSync(openSync(process.env.BENCH_FIFO, 'w'), 'up\n');
