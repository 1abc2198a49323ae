/** Processes that give up privileges, and what the kernel says of them then. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { buildSync } from 'esbuild';
import type { LaunchOptions } from './launch';
import { nodes } from './nodes';
import { Program } from './programs';
import { needsRoot } from './scenario';
import { readThreads } from './threads';
import { clockGroups, PrivateUsers } from './users';

export interface Failure {
  name: string;
  message: string;
  code: string;
  syscall?: string;
  option?: string;
  thread?: string;
  tid?: number;
  field?: string;
  kept?: string;
}

export interface Dropped {
  pid: number;
  privileges: object | null;
  refused: Failure | null;
  dropped: Failure | null;
}

export const none = '0000000000000000';
export const clock = { uid: 48_800, gid: 48_801, groups: clockGroups };

export const users = new PrivateUsers();
const library = bundle();
const env = { PRIVILEGES: library };
after(() => {
  users.remove();
  rmSync(dirname(library), { recursive: true });
});

/** What is tested is no part of the package's door: a library of its own. */
function bundle(): string {
  const folder = mkdtempSync(join(tmpdir(), 'privileges-'));
  chmodSync(folder, 0o755);
  const source = join(__dirname, '../../src');
  const outfile = join(folder, 'library.cjs');
  buildSync({
    stdin: {
      contents: ['posix/limits', 'privilege-drop', 'privileges']
        .map((module) => `export * from './${module}';`)
        .join('\n'),
      resolveDir: source,
    },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    // The addon is looked for from here.
    define: { __dirname: JSON.stringify(source) },
  });
  return outfile;
}

export const needs = (program: string): { skip: boolean | string } =>
  needsRoot.skip
    ? needsRoot
    : {
        skip:
          spawnSync(program, ['--version']).error !== undefined &&
          `install ${program}`,
      };

export const first = new Program(nodes[0], 'program.cjs', 'privileges-drop');

/** Every thread is this user, and has no capability but in the bounding set. */
export function assertIs(
  pid: number,
  { uid, gid, groups }: { uid: number; gid: number; groups: number[] },
): void {
  const all = readThreads(pid);
  assert.ok(all.length >= 5, 'a Node with its threads');
  for (const thread of all) {
    assert.equal(thread.Uid, `${uid}\t${uid}\t${uid}\t${uid}`);
    assert.equal(thread.Gid, `${gid}\t${gid}\t${gid}\t${gid}`);
    assert.equal(thread.Groups, groups.join(' '));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      assert.equal(thread[set], none, set);
  }
}

export function assertIsRoot(pid: number): void {
  for (const { Uid, Gid, CapEff } of readThreads(pid)) {
    assert.equal(`${Uid} ${Gid}`, '0\t0\t0\t0 0\t0\t0\t0');
    assert.notEqual(CapEff, none);
  }
}

/** Drops in a process of its own, and hands what it said to `use`. */
export function drop(
  options: object,
  {
    through = [],
    ...how
  }: { through?: string[]; detach?: true; root?: string },
  use: (told: Dropped) => void,
  program = first,
): Promise<void> {
  return talk(program, 'drop', [options, how], { through }, use);
}

/** Plays a scenario until it has said one thing; `use` looks at its process. */
export function talk<T>(
  program: Program,
  scenario: string,
  args: unknown[],
  options: LaunchOptions,
  use: (told: T) => Promise<void> | void,
): Promise<void> {
  const launch = { ...options, env: { ...env, ...options.env } };
  return program.watch(scenario, args, launch, async ({ probe, launched }) => {
    const next = probe.next<T>().catch(async (cause: unknown) => {
      throw new Error((await launched).stderr, { cause });
    });
    await use(await next);
  });
}
