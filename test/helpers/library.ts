import { copyFileSync, cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const project = resolve(__dirname, '../..');

/** What the package exports, and what it is about to. */
const exported = [
  'index',
  'systemd/notify',
  'systemd/watchdog',
  'systemd/activation',
];

/**
 * Puts the package into `folder`, as npm would: programs there find it by
 * `require('posix-daemonize')`.
 */
export function installLibrary(folder: string): void {
  const target = join(folder, 'node_modules/posix-daemonize');
  buildSync({
    stdin: {
      contents: exported.map((name) => `export * from './${name}';`).join('\n'),
      resolveDir: join(project, 'src'),
    },
    outfile: join(target, 'lib/index.js'),
    platform: 'node',
    bundle: true,
    packages: 'external',
    format: 'cjs',
  });
  writeFileSync(join(target, 'lib/index.mjs'), "export * from './index.js';\n");
  cpSync(join(project, 'package.json'), join(target, 'package.json'));
  cpSync(join(project, 'prebuilds'), join(target, 'prebuilds'), {
    recursive: true,
  });
}

/** Installs the package, and the services of `test/fixtures/systemd.cjs`. */
export function installServices(folder: string): void {
  const services = 'systemd.cjs';
  installLibrary(folder);
  copyFileSync(
    join(project, 'test/fixtures', services),
    join(folder, services),
  );
}

/**
 * The library with modules that its doors do not lead to, as one file that a
 * bare `node` can require.
 * @param folder where it is made
 * @returns its path
 */
export function buildLibrary(folder: string, modules: string[]): string {
  const doors = ['index', ...modules];
  const outfile = join(folder, 'lib/library.cjs');
  buildSync({
    stdin: {
      contents: doors.map((door) => `export * from './${door}';`).join('\n'),
      resolveDir: join(project, 'src'),
    },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
  });
  symlinkSync(join(project, 'prebuilds'), join(folder, 'prebuilds'));
  return outfile;
}
