import { copyFileSync, cpSync } from 'node:fs';
import { join, resolve } from 'node:path';

const project = resolve(__dirname, '../..');

/**
 * Puts the package into `folder`, as npm would: programs there find it by
 * `require('posix-daemonize')`.
 */
export function installLibrary(folder: string): void {
  const target = join(folder, 'node_modules/posix-daemonize');
  for (const part of ['package.json', 'lib', 'prebuilds'])
    cpSync(join(project, part), join(target, part), { recursive: true });
}

/** Installs the package, and the services of a file of `test/fixtures`. */
export function installServices(
  folder: string,
  services = 'systemd.cjs',
): void {
  installLibrary(folder);
  copyFileSync(
    join(project, 'test/fixtures', services),
    join(folder, services),
  );
}
