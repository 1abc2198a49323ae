import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { flock } from '../../src/posix/descriptors';

/** A file that is locked until the descriptor is closed: see `pass` of a fixture. */
export function shut(path: string): number {
  const fd = openSync(path, 'w');
  assert.ok(flock(fd, 'exclusive'));
  return fd;
}
