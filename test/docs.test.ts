import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';
import { daemonErrorCodes } from '../src/errors';
import { optionNames } from '../src/options';

const read = (path: string): string =>
  readFileSync(`${__dirname}/../${path}`, 'utf8');

/** The names in the first column of the README's table headed `head`. */
function column(head: string): string[] {
  const lines = read('README.md').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head}`));
  assert.notEqual(start, -1, `no table of ${head}s`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).flatMap((row) => {
    const [, cell = ''] = row.split('|');
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  });
}

test('every error code has its section in docs/errors.md, and nothing else has', () => {
  const sections = read('docs/errors.md').matchAll(/^## (\S+)$/gm);
  assert.deepEqual(
    [...sections].map(([, code]) => code),
    [...daemonErrorCodes].sort(),
  );
});

test('the steps in the README are those that explain() gives', () => {
  assert.deepEqual(
    column('step'),
    explain().map(({ name }) => name),
  );
});

test('the options in the README are those that daemonize() takes', () => {
  assert.deepEqual(column('option'), optionNames);
});
