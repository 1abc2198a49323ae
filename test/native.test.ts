import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

// forkall without Node.js: the cases of test/native/, each in a process of its
// own, under both C libraries.

const root = join(__dirname, '..');
const built = join(root, 'node_modules/.cache/native-tests');

/** ms; a case that hangs ends itself after a minute */
const DEADLINE = 90_000;
const SKIPPED = 77;

interface Variant {
  name: string;
  title: string;
  /** A program without which it cannot be built, and what has it. */
  needs: [command: string, debianPackage: string];
  env?: NodeJS.ProcessEnv;
}

const variants: readonly Variant[] = [
  { name: 'glibc', title: 'under glibc', needs: ['g++', 'g++'] },
  { name: 'musl', title: 'under musl', needs: ['musl-gcc', 'musl-tools'] },
  {
    name: 'musl-static',
    title: 'under musl, linked statically',
    needs: ['musl-gcc', 'musl-tools'],
  },
  {
    name: 'sanitized',
    title: 'under glibc, with AddressSanitizer and UBSan',
    needs: ['g++', 'g++'],
    env: { ASAN_OPTIONS: 'detect_stack_use_after_return=0:detect_leaks=0' },
  },
];

/** Why a variant cannot be built here, or false. */
function missing({ needs: [command, debianPackage] }: Variant): string | false {
  if (process.arch !== 'x64') return 'its flags are those of x86-64';
  const { error } = spawnSync(command, ['--version']);
  return error !== undefined && `install ${debianPackage}`;
}

function make(variant: string): void {
  const { status, stderr } = spawnSync(
    'make',
    ['-j2', '-C', join(root, 'test/native'), variant],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
}

const lastPid = '/proc/sys/kernel/ns_last_pid';

/**
 * AddressSanitizer has its heap at 0x600000000000 to 0x640000000000 and leaves
 * copies of addresses on stacks: a thread whose number is the upper half of one
 * seems to wait for what it does not. What a fork does then without it,
 * lookalikes.cc proves.
 */
function passLookalikes(): void {
  const pid = Number(readFileSync(lastPid, 'utf8'));
  if (pid < 0x5e00 || pid > 0x6400 || process.getuid!() !== 0) return;
  writeFileSync(lastPid, String(0x6400));
}

/** Runs one case; returns why it was skipped, if it was. */
async function run(
  { name, env }: Variant,
  use: string,
): Promise<string | undefined> {
  if (name === 'sanitized') passLookalikes();
  const options = { timeout: DEADLINE, env: { ...process.env, ...env } };
  try {
    await promisify(execFile)(join(built, name, 'runner'), [use], options);
    return undefined;
  } catch (error) {
    const { code, stdout, stderr } = error as Failure;
    if (code === SKIPPED) return (stderr + stdout).trim();
    throw error;
  }
}

interface Failure extends Error {
  code: number;
  stdout: string;
  stderr: string;
}

for (const variant of variants) {
  const skip = missing(variant);
  describe(variant.title, { skip, concurrency: 2 }, () => {
    make(variant.name);
    const { stdout } = spawnSync(join(built, variant.name, 'runner'), {
      encoding: 'utf8',
    });
    const cases = stdout.trim().split('\n');
    assert.ok(cases.length > 50);
    for (const line of cases) {
      const [, use = '', title = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
      test(title, async (context) => {
        const reason = await run(variant, use);
        if (reason !== undefined) context.skip(reason);
      });
    }
  });
}

test(
  'it compiles and links for aarch64',
  {
    skip:
      spawnSync('aarch64-linux-gnu-g++', ['--version']).error !== undefined &&
      'install g++-aarch64-linux-gnu',
  },
  () => {
    make('aarch64');
  },
);
