import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file that docs/systemd.md shows, by the path in its first line. */
export function documented(path: string): string {
  const text = readFileSync(join(__dirname, '../../docs/systemd.md'), 'utf8');
  const block = text
    .split('```')
    .find((part) => part.split('\n')[1]?.endsWith(` ${path}`));
  assert.ok(block, `${path} is not in docs/systemd.md`);
  return block.slice(block.indexOf('\n') + 1);
}
