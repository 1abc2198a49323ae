import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { nodes } from './helpers/nodes';

/** ms for one npm or checker under load */
const DEADLINE = 120_000;

/** The glibc of the oldest distributions that Node.js 20 runs on. */
const OLDEST_GLIBC = 28;

const root = join(__dirname, '..');
const fixtures = join(__dirname, 'fixtures');
const scratch = mkdtempSync(join(tmpdir(), 'package-'));
const installed = join(scratch, 'installed');
const packageFolder = join(installed, 'node_modules/posix-daemonize');

interface Manifest {
  gypfile: boolean;
  scripts: Record<string, string>;
}

let tarball: string;
let files: string[];
let manifest: Manifest;

async function run(
  file: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, {
    cwd: root,
    timeout: DEADLINE,
    ...options,
  });
  return stdout;
}

function which(name: string): string {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  assert.ok(found, `${name} is not in PATH`);
  return found;
}

before(async () => {
  // Without scripts: a build would pull the addon away from other tests.
  const packed = await run('npm', [
    'pack',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    scratch,
  ]);
  const [pack] = JSON.parse(packed) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = join(scratch, pack.filename);
  files = pack.files.map(({ path }) => path);

  // An empty folder of somebody who has Node.js and npm, but no compiler.
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{}');
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const name of ['npm', 'sh']) symlinkSync(which(name), join(bin, name));
  await run(
    join(bin, 'npm'),
    ['install', '--ignore-scripts', '--prefer-offline', tarball],
    { cwd: installed, env: { ...process.env, PATH: bin } },
  );
  manifest = JSON.parse(
    readFileSync(join(packageFolder, 'package.json'), 'utf8'),
  ) as Manifest;
});

after(() => rmSync(scratch, { recursive: true }));

test('the package holds what it needs and nothing else', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true })
    .map(String)
    .filter((name) => /\.m?ts$/.test(name));
  // The declarations of each module, and all of them in one file.
  const compiled = [
    'lib/cli.LICENSES.txt',
    'lib/cli.js',
    'lib/index.js',
    'lib/index.mjs',
    ...sources.map((name) => `lib/${name.replace(/(m?ts)$/, 'd.$1')}`),
  ];
  const native = readdirSync(join(root, 'native'), { recursive: true })
    .map((name) => `native/${String(name)}`)
    .filter((name) => /\.\w+$/.test(name));
  const top = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'binding.gyp',
    'man/posix-daemonize.1',
    'package.json',
    'schema/daemons.schema.json',
  ];
  assert.deepEqual(
    [...files].sort(),
    [...top, ...compiled, ...native, ...prebuilds()].sort(),
  );
});

test('the package runs no script when it is installed', () => {
  const names = Object.keys(manifest.scripts);
  assert.deepEqual(
    names.filter((name) => /^(pre|post)?install$/.test(name)),
    [],
  );
  // Or npm would run node-gyp because of binding.gyp.
  assert.equal(manifest.gypfile, false);
});

test('publint has no objections', async () => {
  const output = await run('npx', ['publint', 'run', '--strict', tarball]);
  assert.match(output, /All good!/);
});

test('the types are right for every kind of import', async () => {
  const output = await run('npx', ['attw', '--format', 'json', tarball]);
  const { analysis } = JSON.parse(output) as {
    analysis: { entrypoints: object; problems: unknown[] };
  };
  assert.deepEqual(analysis.problems, []);
  assert.ok('.' in analysis.entrypoints);
});

for (const { version, path } of nodes) {
  test(`import and require give the same working objects on Node.js ${version}`, async () => {
    copyFileSync(join(fixtures, 'doors.mjs'), join(installed, 'doors.mjs'));
    await run(path, ['doors.mjs'], { cwd: installed });
  });
}

test('without its binary the package says how to build it', async () => {
  const bare = join(scratch, 'bare');
  const folder = join(bare, 'node_modules/posix-daemonize');
  mkdirSync(bare);
  await run('cp', ['-r', join(installed, 'node_modules'), bare]);
  rmSync(join(folder, 'prebuilds'), { recursive: true });
  const fixture = 'missing-binary.cjs';
  copyFileSync(join(fixtures, fixture), join(bare, fixture));
  const output = await run(process.execPath, [fixture], { cwd: bare });
  const { code, message } = JSON.parse(output) as Record<string, string>;
  assert.equal(code, 'ERR_DAEMON_BINDING_MISSING');
  for (const part of [process.platform, process.arch, folder, 'node-gyp']) {
    assert.ok(message!.includes(part), `${part} is missing in: ${message}`);
  }
});

for (const file of prebuilds('glibc')) {
  test(`${file} needs no libstdc++ and no newer glibc than 2.${OLDEST_GLIBC}`, async () => {
    const output = await run('readelf', ['-dVW', file]);
    assert.deepEqual(foreign(output), []);
    const newer = matches(output, /Name: GLIBC_2\.(\d+)/g).filter(
      (minor) => Number(minor) > OLDEST_GLIBC,
    );
    assert.deepEqual(newer, []);
  });
}

for (const file of prebuilds('musl')) {
  const musl = '/usr/lib/x86_64-linux-musl/libc.so';
  test(
    `${file} needs nothing but musl and what Node.js offers`,
    { skip: !existsSync(musl) && 'install musl-tools' },
    async () => {
      assert.deepEqual(foreign(await run('readelf', ['-dW', file])), []);
      const names = async (...args: string[]): Promise<string[]> =>
        matches(await run('nm', ['-D', ...args]), / [A-Z] (\w+)$/gm);
      const there = new Set(await names('--defined-only', musl));
      const needed = await names('--undefined-only', file);
      assert.deepEqual(
        needed.filter((name) => !/^(napi|uv)_/.test(name) && !there.has(name)),
        [],
      );
    },
  );
}

/** The libraries that a binary needs besides the C library. */
function foreign(output: string): string[] {
  return matches(output, /\(NEEDED\).*\[(.*)\]/g).filter(
    (name) => !/^(libc|ld-linux-[\w-]+)\.so/.test(name),
  );
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, group]) => group!);
}

function prebuilds(libc = ''): string[] {
  return readdirSync(join(root, 'prebuilds'), { recursive: true })
    .map((name) => `prebuilds/${String(name)}`)
    .filter((name) => name.endsWith(`${libc}.node`));
}
