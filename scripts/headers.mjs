import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [major] = process.versions.node.split('.');

/**
 * The environment for a build by node-gyp. Node's headers come from the first
 * of: npm's nodedir setting, the headers that lie beside this node binary,
 * those that test/nodes brings, node-gyp's own download.
 */
export function buildEnvironment() {
  const nodedir =
    process.env.npm_config_nodedir ?? besideNode() ?? fromTestNodes();
  return {
    JOBS: 'max',
    ...process.env,
    ...(nodedir !== undefined && { npm_config_nodedir: nodedir }),
  };
}

function besideNode() {
  const prefix = dirname(dirname(process.execPath));
  return fits(prefix) ? prefix : undefined;
}

function fromTestNodes() {
  execFileSync(process.execPath, [join(here, 'install-test-nodes.mjs')], {
    stdio: 'inherit',
  });
  const prefix = join(here, `../test/nodes/node_modules/node${major}`);
  return fits(prefix) ? prefix : undefined;
}

function fits(prefix) {
  const header = join(prefix, 'include/node/node_version.h');
  return (
    existsSync(header) &&
    readFileSync(header, 'utf8').includes(
      `#define NODE_MAJOR_VERSION ${major}\n`,
    )
  );
}
