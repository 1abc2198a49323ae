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

interface Results {
  launch: Row[];
  launchImports: Row[];
  imports: Row[];
  fork: Row[];
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
  const table = read('table.md');
  for (const name of [...programs, ...heaps])
    assert.ok(table.includes(`| ${name} `), name);
  assert.doesNotMatch(table, /NaN|undefined|null/);
  assert.match(read('plot.svg'), /^<svg [^]*<\/svg>\n$/);
  assert.doesNotMatch(read('plot.svg'), /NaN|undefined|null/);
});
