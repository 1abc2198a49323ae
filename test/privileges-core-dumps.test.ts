// What a process may still do that is to leave no core dump.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { first, needs, talk } from './helpers/privileges-drop';

for (const [who, through, options] of [
  ['who was root', [], { user: 65_534, group: 65_534 }],
  ['who never was', ['setpriv', '--reuid=65534', '--clear-groups'], null],
] as const)
  test(
    `${who} and may not dump core can be forked, and reads its /proc but for secrets`,
    needs('setpriv'),
    () =>
      talk<{ pid: number; forked: number; readable: object }>(
        first,
        'no core',
        [options],
        { through },
        (told) => {
          assert.equal(told.forked, 7);
          assert.deepEqual(told.readable, {
            status: 'yes',
            maps: 'yes',
            fd: 'yes',
            environ: 'EACCES',
          });
          const limits = readFileSync(`/proc/${told.pid}/limits`, 'utf8');
          assert.match(limits, /^Max core file size +0 +0 /m);
          // Of a dumpable process they belong to its user.
          assert.equal(statSync(`/proc/${told.pid}/environ`).uid, 0);
        },
      ),
  );
