// Installs and builds the package `posix`, which tests compare ours with, so
// that they find it as test/node_modules/posix. npm does not build it: npm 12
// runs no install scripts of dependencies, and older ones do not look for
// Node's headers as we do.
import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from './headers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oracle = join(root, 'test/oracle');

if (!loads()) {
  execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', oracle], {
    cwd: root,
    stdio: 'inherit',
  });
  execFileSync(join(root, 'node_modules/.bin/node-gyp'), ['rebuild'], {
    cwd: join(oracle, 'node_modules/posix'),
    stdio: 'inherit',
    env: buildEnvironment(),
  });
  const link = join(root, 'test/node_modules');
  rmSync(link, { recursive: true, force: true });
  symlinkSync('oracle/node_modules', link);
}

function loads() {
  try {
    createRequire(join(root, 'test/fixtures/'))('posix');
    return true;
  } catch {
    return false;
  }
}
