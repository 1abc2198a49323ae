import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

interface Row {
  name: string;
}

interface Flood extends Row {
  received: number;
  doubled: number;
}

interface Results {
  launch: Row[];
  launchImports: Row[];
  imports: Row[];
  fork: Row[];
  syslog?: { receiver: Flood[]; rsyslogd?: Flood[]; stopped: Row[] };
  supervisors: Row[];
  list: Row[];
}

const bench = join(__dirname, '../bench/index.mjs');

const programs = [
  'node -e 0',
  'no daemon',
  'posix-daemonize, require',
  'posix-daemonize, import',
  'daemonize-process',
  'daemon',
  'detached spawn',
  'setsid --fork',
  'Python double fork',
];

const loggers = [
  'syslog(3) in C',
  '`SyslogStream.send()`',
  '`SyslogStream.write()`',
  '`SyslogConsole.log()`',
  'modern-syslog',
  'winston-syslog',
];

test('the benchmark runs and has a result for every row', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  await promisify(execFile)(process.execPath, [bench, '--quick', folder]);

  const results = JSON.parse(read('results.json')) as Results;
  const names = (rows: Row[]) => rows.map(({ name }) => name);
  assert.deepEqual(names(results.launch), programs);
  assert.deepEqual(names(results.launchImports), programs);
  assert.deepEqual(names(results.imports), ['require', 'import']);
  const heaps = names(results.fork);
  assert.deepEqual(heaps, [
    '40 MB',
    '140 MB',
    '400 MB',
    '1200 MB',
    '400 MB of Buffers',
  ]);
  const lists = names(results.list);
  assert.deepEqual(lists, [
    'node -e 0',
    'posix-daemonize status, 1',
    'posix-daemonize list, 100',
    'pm2 ls, 100',
  ]);
  const supervisors = ['posix-daemonize run --respawn', 'pm2', 'forever'];
  assert.deepEqual(names(results.supervisors), supervisors);
  const table = read('table.md');
  if (results.syslog) {
    const { receiver, rsyslogd, stopped } = results.syslog;
    for (const rows of [receiver, rsyslogd ?? receiver]) {
      assert.deepEqual(names(rows), loggers);
      // winston-syslog loses some; its row says so.
      for (const { name, received, doubled } of rows.slice(0, -1))
        assert.deepEqual([name, received, doubled], [name, 1, 0]);
    }
    const kept = loggers.filter((_, row) => [1, 4, 5].includes(row));
    assert.deepEqual(names(stopped), ['no logging', ...kept]);
  } else assert.match(table, /Left out: a \/dev\/log of its own takes root/);
  for (const name of [
    ...programs,
    ...heaps,
    ...supervisors,
    ...lists,
    ...(results.syslog ? loggers : []),
  ])
    assert.ok(table.includes(`| ${name} `), name);
  assert.doesNotMatch(table, /NaN|undefined|null/);
  assert.match(read('plot.svg'), /^<svg [^]*<\/svg>\n$/);
  assert.doesNotMatch(read('plot.svg'), /NaN|undefined|null/);
});
