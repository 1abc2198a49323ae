import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ESLint, Linter } from 'eslint';

const root = join(__dirname, '..');

/** The layers rule's messages for a file of a source folder. */
async function lint(
  file: string,
  code: string,
  folder = join(root, 'src'),
): Promise<string[]> {
  const { layersRule } = await import('../scripts/lint/layers.mjs');
  const messages = new Linter({ cwd: folder }).verify(
    code,
    {
      plugins: { layers: { rules: { imports: layersRule } } },
      rules: { 'layers/imports': ['error', folder] },
      files: ['**/*.ts', '**/*.mts'],
    },
    join(folder, file),
  );
  return messages.map(({ message }) => message);
}

test('an import from above is an error of `npm run lint`', async () => {
  const eslint = new ESLint({ cwd: root });
  const results = await eslint.lintText("import './daemonize';\n", {
    filePath: join(root, 'src/errors.ts'),
  });
  const messages = results.flatMap((result) => result.messages);
  assert.deepEqual(
    messages.map(({ message, severity }) => ({ message, severity })),
    [
      {
        message: 'errors may not import daemonize: it is above',
        severity: 2,
      },
    ],
  );
});

test('each layer may import the layers below', async () => {
  for (const [file, imported] of [
    ['index.ts', './daemon'],
    ['index.mts', './index.js'],
    ['cli/start.ts', '../daemon'],
    ['daemon.ts', './daemonize'],
    ['daemonize.ts', './options'],
    ['daemonize.ts', './posix/session'],
    ['logging/console.ts', '../posix/syslog'],
    ['stdio.ts', './logging/stream'],
    ['posix/session.ts', '../binding'],
    ['binding.ts', './errors'],
  ] as const) {
    assert.deepEqual(await lint(file, `import '${imported}';`), [], file);
  }
});

test('no layer may import one above', async () => {
  for (const [file, imported] of [
    ['binding.ts', './posix/session'],
    ['constants.ts', './options'],
    ['posix/session.ts', '../stdio'],
    ['stdio.ts', './daemonize'],
    ['daemonize.ts', './daemon'],
    ['daemonize.ts', './index.js'],
    ['daemon.ts', './cli/start'],
  ] as const) {
    for (const code of [
      `import { x } from '${imported}';`,
      `export { x } from '${imported}';`,
      `export * from '${imported}';`,
      `await import('${imported}');`,
      `require('${imported}');`,
    ]) {
      const [message] = await lint(file, code);
      assert.match(String(message), /it is above$/, `${file}: ${code}`);
    }
  }
});

test('posix/ is flat', async () => {
  assert.deepEqual(await lint('posix/fork.ts', "import './session';"), [
    'posix/fork may not import posix/session: posix/ is flat',
  ]);
});

test('only posix/ imports the binding', async () => {
  for (const module of ['index', 'daemon', 'daemonize', 'stdio', 'cli/run']) {
    const path = module.startsWith('cli/') ? '../binding' : './binding';
    assert.deepEqual(await lint(`${module}.ts`, `import '${path}';`), [
      `${module} may not import binding: only posix/ does`,
    ]);
  }
});

test('a file without a layer is an error', async () => {
  const message = 'other has no layer in scripts/lint/layers.mjs';
  assert.deepEqual(await lint('other.ts', "import './errors';"), [message]);
  assert.deepEqual(await lint('daemon.ts', "import './other';"), [message]);
});

test('imports may not go in a circle', async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'layers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'stdio.ts'), "import './systemd';\n");
  writeFileSync(join(folder, 'systemd.ts'), "export * from './pidfile';\n");
  assert.deepEqual(await lint('pidfile.ts', "import './stdio';", folder), [
    'imports go in a circle: pidfile -> stdio -> systemd -> pidfile',
  ]);
  assert.deepEqual(await lint('options.ts', "import './stdio';", folder), []);
});
