// Installs the Node.js versions of test/nodes/package.json. Does nothing
// where they are there already, or where the CPU has none.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'test/nodes');

if (process.arch !== 'x64') {
  console.log(
    `test/nodes: skipped, its Node.js versions are for x64, not ${process.arch}`,
  );
} else if (!installed()) {
  execFileSync('npm', ['ci', '--prefix', folder], {
    cwd: root,
    stdio: 'inherit',
  });
}

function installed() {
  const { packages } = readJson(join(folder, 'package-lock.json'));
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .every(([path, { version }]) => {
      const manifest = join(folder, path, 'package.json');
      return existsSync(manifest) && readJson(manifest).version === version;
    });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
