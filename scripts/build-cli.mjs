// Compiles the command line into lib/cli.js, with the libraries that it takes its
// arguments, tables and comments in JSON from: `status` spends most of its time on
// loading, and each file less is 0.3 ms less. Their licences go beside it.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';

const inPackage = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** The libraries without their comments, and without what they never need here. */
const slim = {
  name: 'slim',
  setup(bundle) {
    // commander runs commands that are files of their own: there are none. To
    // load it takes as long as all of commander.
    bundle.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('node_modules/commander/')
        ? { path: 'nothing', namespace: 'nothing' }
        : undefined,
    );
    bundle.onLoad({ filter: /^/, namespace: 'nothing' }, () => ({
      contents: '',
    }));
    bundle.onLoad({ filter: /node_modules\/.*\.m?js$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), {
        minifyWhitespace: true,
        charset: 'utf8',
        legalComments: 'none',
      });
      return { contents: code };
    });
  },
};

/** @param options those of esbuild that the library is compiled with, too */
export async function buildCli(root, options) {
  const file = join(root, 'lib/cli.js');
  const { metafile } = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts'],
    outfile: file,
    banner: { js: '#!/usr/bin/env node' },
    bundle: true,
    format: 'cjs',
    // jsonc-parser's `main` cannot be bundled.
    mainFields: ['module', 'main'],
    // To find it by its name takes Node.js 2 ms.
    alias: { 'posix-daemonize/package.json': './package.json' },
    // The first is the library's own; the second colours nothing here.
    external: ['node-gyp-build', '@colors/colors'],
    plugins: [slim],
    metafile: true,
  });
  chmodSync(file, 0o755);
  const folders = Object.keys(metafile.inputs)
    .map((path) => inPackage.exec(path)?.[1])
    .filter((folder) => folder !== undefined);
  writeFileSync(
    join(root, 'lib/cli.LICENSES.txt'),
    [...new Set(folders)]
      .sort()
      .map((folder) => licenceOf(join(root, folder)))
      .join('\n\n'),
  );
}

function licenceOf(folder) {
  const { name, version } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `cli.js contains ${name} ${version}:\n\n${text}\n`;
}
