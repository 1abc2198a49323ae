import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { syslogStreamOptionNames } from '../src/logging/syslog-options';
import { needs } from './helpers/log-daemon';
import { withFolder } from './helpers/scenario';

const file = join(__dirname, '../docs/syslog.md');
const guide = readFileSync(file, 'utf8');

test('the examples that docs/syslog.md shows are the files', () => {
  const shown = [
    ...guide.matchAll(/^<!-- (\S+) -->\n\n```js\n([^]*?)^```/gm),
  ].map(([, path, text]) => [path!, text!] as const);
  assert.deepEqual(
    shown.map(([path]) => path),
    [
      '../examples/error-log.mjs',
      '../examples/syslog-stream.mjs',
      '../examples/syslog-console.mjs',
      '../examples/pino-transport.mjs',
      '../examples/pino.mjs',
      '../examples/winston.mjs',
    ],
  );
  for (const [path, text] of shown)
    assert.equal(text, readFileSync(join(dirname(file), path), 'utf8'), path);
});

test('the options in docs/syslog.md are those that createSyslogStream() takes', () => {
  const table = /^\| option [^]*?\n\n/m.exec(guide)![0];
  assert.deepEqual(
    [...table.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name),
    syslogStreamOptionNames,
  );
});

test(
  'rsyslogd takes the lines of docs/syslog.md that send everything on',
  needs('rsyslogd'),
  async () =>
    withFolder((folder) => {
      const [, lines] = /^```\n(\*\.\* action[^]*?)^```/m.exec(guide)!;
      const conf = join(folder, 'forward.conf');
      writeFileSync(
        conf,
        `global(workDirectory="${folder}" internalmsg.severity="warning")\n${lines}`,
      );
      const { status, stderr } = spawnSync('rsyslogd', ['-N1', '-f', conf], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /error/i);
      return Promise.resolve();
    }),
);
