import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as required from '../src/index';
import { nodes } from './helpers/nodes';
import { withFolder } from './helpers/scenario';

const run = promisify(execFile);
const [node] = nodes;
const root = join(__dirname, '..');
const load = `
  try {
    console.log(JSON.stringify(require('./lib').getpid() === process.pid));
  } catch ({ name, code, message, cause }) {
    console.log(JSON.stringify({ name, code, message, cause: cause?.code }));
  }`;

interface Failure {
  name: string;
  code: string;
  message: string;
  cause?: string;
}

/** What loading the package in a folder says: true, or the error. */
async function loaded(
  path: string,
  cwd: string,
  options: string[] = [],
): Promise<Failure | true> {
  const args = [...options, '-e', load];
  const { stdout } = await run(path, args, { cwd });
  return JSON.parse(stdout) as Failure | true;
}

/** The compiled package in a folder of its own, without a binary. */
function unpack(folder: string): void {
  cpSync(join(root, 'lib'), join(folder, 'lib'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}

/** Gives it a file as one of its binaries. */
function put(folder: string, name: string, content: Buffer | string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const { header } = process.report.getReport() as {
  header: { glibcVersionRuntime?: string };
};
const libc = header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
const platform = `${process.platform}-${process.arch}`;
const prebuilt = `prebuilds/${platform}/posix-daemonize.${libc}.node`;
const ownBuild = 'build/Release/posix_daemonize.node';
const binary = readFileSync(join(root, prebuilt));

for (const { version, path } of nodes) {
  test(`Node.js ${version} loads the prebuilt binary of its C library`, async () => {
    await withFolder(async (folder) => {
      unpack(folder);
      put(folder, prebuilt, binary);
      assert.equal(await loaded(path, folder), true);
    });
  });
}

test("a build of one's own comes before the prebuilt binary", async () => {
  await withFolder(async (folder) => {
    unpack(folder);
    put(folder, prebuilt, 'not a binary');
    put(folder, ownBuild, binary);
    assert.equal(await loaded(node.path, folder), true);
  });
});

test('other places are known to node-gyp-build', async () => {
  await withFolder(async (folder) => {
    unpack(folder);
    put(folder, 'build/Debug/posix_daemonize.node', binary);
    assert.equal(await loaded(node.path, folder), true);
  });
});

test('an error of the dynamic loader is passed on untouched', async () => {
  await withFolder(async (folder) => {
    unpack(folder);
    put(folder, prebuilt, 'not a binary');
    const failure = (await loaded(node.path, folder)) as Failure;
    assert.equal(failure.name, 'Error');
    assert.equal(failure.code, 'ERR_DLOPEN_FAILED');
    assert.ok(failure.message.includes(join(folder, prebuilt)));
  });
});

test('without a binary the error names platform, places and remedy', async () => {
  await withFolder(async (folder) => {
    unpack(folder);
    assert.deepEqual(await loaded(node.path, folder), {
      name: 'DaemonError',
      code: 'ERR_DAEMON_BINDING_MISSING',
      message:
        `posix-daemonize has no binary for ${process.platform} ${process.arch}` +
        ` ${libc}. Looked at:\n` +
        `  ${join(folder, ownBuild)}\n` +
        `  ${join(folder, prebuilt)}\n` +
        'To build it: npm install --no-save node-addon-api node-gyp' +
        ' && npx node-gyp rebuild -C node_modules/posix-daemonize',
    });
  });
});

for (const { version, path } of nodes) {
  const major = Number.parseInt(version, 10);
  const permission = major < 24 ? '--experimental-permission' : '--permission';
  const options = [permission, '--allow-fs-read=*', '--no-warnings'];

  test(`the permission model of Node.js ${version} has to allow addons`, async () => {
    const failure = (await loaded(path, root, options)) as Failure;
    assert.equal(failure.code, 'ERR_DAEMON_UNSUPPORTED');
    assert.equal(failure.cause, 'ERR_DLOPEN_DISABLED');
    assert.match(failure.message, /--allow-addons/);
    assert.equal(
      await loaded(path, root, [...options, '--allow-addons']),
      true,
    );
  });
}

test('import and require give the same names and the same objects', async () => {
  const imported = (await import('../src/index.mjs')) as Record<
    string,
    unknown
  >;
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(required)) {
    assert.equal(imported[name], value, name);
  }
});

test('loading the package loads nothing of Node.js but os and console', async () => {
  const script = `
    const before = new Set(process.moduleLoadList);
    require('./lib');
    const loaded = process.moduleLoadList.filter((name) => !before.has(name));
    console.log(JSON.stringify(loaded));`;
  for (const { path } of nodes) {
    const { stdout } = await run(path, ['-e', script], { cwd: root });
    const names = (JSON.parse(stdout) as string[])
      .filter((name) => name.startsWith('NativeModule '))
      .map((name) => name.replace('NativeModule ', ''));
    assert.deepEqual(names, ['os', 'console']);
  }
});

test('the library is strict code', () => {
  const text = readFileSync(join(root, 'lib/index.js'), 'utf8');
  assert.match(text, /^"use strict";\n/);
});
