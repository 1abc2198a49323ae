// Keeps a package from being published without a binary that it claims.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const claimed = [
  'linux-x64/posix-daemonize.glibc.node',
  'linux-x64/posix-daemonize.musl.node',
  'linux-arm64/posix-daemonize.glibc.node',
];

const missing = claimed.filter(
  (name) => !existsSync(join(root, 'prebuilds', name)),
);
if (missing.length > 0) {
  console.error(`prebuilds/ lacks ${missing.join(', ')}`);
  process.exitCode = 1;
}
