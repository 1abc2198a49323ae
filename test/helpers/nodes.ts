import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Node.js that tests run fixtures with. */
export interface TestNode {
  /** as `process.versions.node` */
  version: string;
  /** of the executable */
  path: string;
}

/** Where `npm run pretest` installs the other Node.js versions. */
const installed = join(__dirname, '../nodes');

const running: TestNode = {
  version: process.versions.node,
  path: process.execPath,
};

/**
 * The Node.js versions under test: the running one first, then the latest of
 * each other line. Only x64 has those; elsewhere the list holds the running
 * one alone.
 * @throws {Error} they are missing where they should be: `npm run pretest`
 */
export const nodes: [TestNode, ...TestNode[]] = [
  running,
  ...(process.arch === 'x64' ? others() : []),
];

function others(): TestNode[] {
  const { dependencies } = readJson<{ dependencies: Record<string, string> }>(
    join(installed, 'package.json'),
  );
  return Object.keys(dependencies)
    .map((alias) => {
      const folder = join(installed, 'node_modules', alias);
      const { version } = readJson<{ version: string }>(
        join(folder, 'package.json'),
      );
      return { version, path: join(folder, 'bin/node') };
    })
    .filter(({ version }) => major(version) !== major(running.version));
}

function major(version: string): number {
  return Number.parseInt(version, 10);
}

function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    throw new Error('no Node.js versions to test: run `npm run pretest`', {
      cause,
    });
  }
}
