/** The file that describes daemons: where it is, and what it says. */
import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigurationError } from './configuration-error';
import { parseJson } from './json';

const system = '/etc/posix-daemonize/daemons.json';
const names = ['json', 'mjs', 'js', 'cjs', 'ts'].map(
  (extension) => `daemons.${extension}`,
);

/**
 * The file in the working directory, or else that of the system. What root finds
 * in the working directory must belong to root or to who called sudo, for it
 * says what root executes.
 * @returns an absolute path, or undefined if there is none
 * @throws {ConfigurationError} the file belongs to somebody else
 */
export function findSource(): string | undefined {
  const here = names.map((name) => resolve(name));
  return [...here, system].find((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return false;
    const owners = [0, process.geteuid!(), Number(process.env.SUDO_UID ?? 0)];
    const foreign = !owners.includes(stats.uid);
    if (process.geteuid!() === 0 && (foreign || stats.mode & 0o002)) {
      const whose = foreign
        ? `it belongs to the user with the uid ${stats.uid}`
        : 'everybody may write to it';
      throw new ConfigurationError(
        `${path} is not used: ${whose}`,
        'if you trust it, give it by --file',
      );
    }
    return true;
  });
}

/**
 * @throws {ConfigurationError} it cannot be read, is no JSON or throws; has no
 *   default export
 * @throws {Error} `EACCES` this user may not read it
 */
export async function readSource(path: string): Promise<unknown> {
  const extension = extname(path);
  if (['.mjs', '.js', '.cjs', '.ts', '.mts', '.cts'].includes(extension))
    return importModule(path, extension.endsWith('ts'));
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw error;
    throw new ConfigurationError(
      code === 'EISDIR' ? `${path} is a directory` : message,
    );
  }
  return parseJson(text.replace(/^\uFEFF/, ''), path);
}

async function importModule(path: string, typed: boolean): Promise<unknown> {
  const { typescript } = process.features as { typescript?: string | false };
  if (typed && !typescript) {
    throw new ConfigurationError(
      `${path}: Node.js ${process.versions.node} reads no TypeScript`,
      'use Node.js 22.18 or later, or write the file as .mjs',
    );
  }
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    const hint =
      error instanceof SyntaxError
        ? `\`node --check ${path}\` shows where`
        : undefined;
    throw new ConfigurationError(explain(error, path), hint);
  }
  if (module.default === undefined)
    throw new ConfigurationError(`${path} has no default export`);
  return module.default;
}

/** With the line, and the column where the stack has one. */
function explain(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `${path}: ${String(error)}`;
  const [, after = ''] = (error.stack ?? '').split(pathToFileURL(path).href);
  const [position = ''] = /^(:\d+)+/.exec(after) ?? [];
  return `${path}${position}: ${error.message}`;
}
