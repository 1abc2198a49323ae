// Compiles src/ into lib/: declarations by tsc, which also checks the types,
// and all modules in one file by esbuild. One file, because each module that
// Node has to find, read and compile costs a daemon 0.2 to 0.3 ms of its start.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { buildCli } from './build-cli.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lib = join(root, 'lib');
const options = { platform: 'node', target: 'node20', charset: 'utf8' };

rmSync(lib, { recursive: true, force: true });
const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

// The names of the library stand in src/index.mts alone.
const { outputFiles } = buildSync({
  ...options,
  entryPoints: [join(root, 'src/index.mts')],
  format: 'esm',
  write: false,
});
const [, names, exported] =
  /^import (\{[^}]*\}) from "\.\/index\.js";\n([^]*)$/.exec(
    outputFiles[0].text,
  );
// A plain object: what esbuild makes of exports is two getters for each, which
// takes 0.2 ms.
buildSync({
  ...options,
  stdin: {
    contents: `import ${names} from './index';\nmodule.exports = ${names};`,
    resolveDir: join(root, 'src'),
  },
  outfile: join(lib, 'index.js'),
  banner: { js: '"use strict";' },
  bundle: true,
  packages: 'external',
  format: 'cjs',
});
// The command line has a file of its own: it loads only what it needs.
await buildCli(root, options);
// The door for `import`: the same objects, by a plain require. To import a
// CommonJS file instead takes Node 20 two or three times as long, for it reads
// the names out of the source once more.
writeFileSync(
  join(lib, 'index.mjs'),
  `import { createRequire } from "node:module";
const ${names} = createRequire(import.meta.url)("./index.js");
${exported}`,
);
