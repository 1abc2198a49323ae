import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { processesMarked } from './helpers/processes';

/** ms for processes that are on their way out */
const DEADLINE = 5_000;

/** In the environment of every process of one `npm test`. */
const NAME = 'POSIX_DAEMONIZE_TEST_RUN';
const run = process.env[NAME];

test(
  'no process of this run survives it',
  { skip: run === undefined && `\`npm test\` sets ${NAME}` },
  async (t) => {
    const end = Date.now() + DEADLINE;
    let found = processesMarked(NAME, run!);
    while (found.length > 0 && Date.now() < end) {
      await setTimeout(50);
      found = processesMarked(NAME, run!);
    }
    t.after(() => {
      for (const { pid } of found) process.kill(pid, 'SIGKILL');
    });
    assert.deepEqual(found, []);
  },
);
