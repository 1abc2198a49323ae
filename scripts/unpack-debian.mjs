// Unpacks Debian packages that tests use and that cannot be installed beside
// others, into node_modules/.cache/debian, where test/helpers/installed.ts finds
// their programs. What they depend on has to be installed. `npm ci` removes
// them.
//
// usage: node scripts/unpack-debian.mjs PACKAGE...
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'node_modules/.cache/debian');

for (const name of process.argv.slice(2))
  if (!existsSync(join(target, 'usr/share/doc', name))) unpack(name);

function unpack(name) {
  const folder = mkdtempSync(join(tmpdir(), 'debian-'));
  try {
    // As root apt would fetch it as another user, who may not write there.
    const options = ['-o', 'APT::Sandbox::User=root'];
    execFileSync('apt-get', [...options, 'download', name], {
      cwd: folder,
      stdio: 'inherit',
    });
    mkdirSync(target, { recursive: true });
    for (const file of readdirSync(folder))
      execFileSync('dpkg-deb', ['-x', join(folder, file), target]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
