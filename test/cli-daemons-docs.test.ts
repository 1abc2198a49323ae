import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keys } from '../src/cli/daemons/definition';
import { reportOn } from '../src/cli/daemons/report';
import { withSite } from './helpers/site';

const guide = readFileSync(join(__dirname, '../docs/daemons-file.md'), 'utf8');

/** The names in the first column of each table. */
const [documentedKeys, documentedReport] = guide
  .split(/^\| key .*\n\| -.*\n/gm)
  .slice(1)
  .map((rest) =>
    rest
      .slice(
        0,
        rest.search(/^[^|]/m) === -1 ? undefined : rest.search(/^[^|]/m),
      )
      .split('\n')
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)])
      .map(([, name]) => name!),
  );

test('docs/daemons-file.md has every key of a daemon, and no other', () => {
  assert.deepEqual(documentedKeys, keys);
});

test('docs/daemons-file.md has every key that --json prints, and no other', () => {
  const pidfile = '/nowhere/x.pid';
  const report = reportOn({
    name: 'x',
    pidfile,
    outputs: [],
    dependsOn: [],
    delay: 0,
    stop: {},
  });
  assert.deepEqual([...documentedReport!].sort(), Object.keys(report).sort());
});

test('the file and the commands of docs/daemons-file.md work', () =>
  withSite((site) => {
    const [, json, commands] = /```jsonc\n([^]*?)```[^]*?```\n([^]*?)```/.exec(
      guide,
    )!;
    site.write('daemons.json', json!);
    const words = commands!
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
      .filter(([name]) => name === 'posix-daemonize');
    assert.equal(words.length, 5);
    for (const [, ...args] of words) {
      // It would go on for ever.
      const once = args.filter((word) => word !== '-f');
      const { status, stderr } = site.run(...once);
      assert.deepEqual([status, stderr], [0, ''], once.join(' '));
    }
  }));
