import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type LaunchOptions, launch } from './launch';
import { nodes, type TestNode } from './nodes';

/** ms for something that another process is about to do */
const DEADLINE = 10_000;

export const root = process.getuid?.() === 0;
export const needsRoot = { skip: !root && 'run as root' };

/** A command that runs the one that follows it as nobody, for `through`. */
export const asNobody = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
] as const;

interface PlayOptions extends LaunchOptions {
  node?: TestNode;
}

/** What a scenario of `test/fixtures/posix/<room>.cjs` prints. */
export async function text(
  room: string,
  scenario: string,
  args: readonly string[] = [],
  { node = nodes[0], ...options }: PlayOptions = {},
): Promise<string> {
  const { status, signal, stdout, stderr } = await launch(
    node,
    `posix/${room}.cjs`,
    [scenario, ...args],
    options,
  );
  assert.deepEqual(
    { status, signal, stderr },
    { status: 0, signal: null, stderr: '' },
  );
  return stdout;
}

/** What a scenario of `test/fixtures/posix/<room>.cjs` returns. */
export async function play<T>(...args: Parameters<typeof text>): Promise<T> {
  return JSON.parse(await text(...args)) as T;
}

/** An error as `attempt` of the fixtures reports it. */
export interface Failure {
  name: string;
  message: string;
  code: string;
  errno: number;
  syscall: string;
  path?: string;
}

/** A new folder for the time of `use`, with its path. */
export async function withFolder<T>(
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'posix-'));
  try {
    return await use(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** Resolves once `condition` is true; looks at it in every turn of the loop. */
export async function until(
  what: string,
  condition: () => boolean,
): Promise<void> {
  const end = Date.now() + DEADLINE;
  while (!condition()) {
    assert.ok(Date.now() < end, `waited ${DEADLINE} ms for ${what}`);
    await setImmediate();
  }
}
