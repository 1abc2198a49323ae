/** JSON with comments and trailing commas. */
import type { Node, ParseError } from 'jsonc-parser';
import { ConfigurationError } from './configuration-error';

/**
 * @param path for the errors
 * @throws {ConfigurationError} with path, line and column: it is no JSON, or an
 *   object has a key twice
 */
export function parseJson(text: string, path: string): unknown {
  const { parseTree, printParseErrorCode } =
    require('jsonc-parser') as typeof import('jsonc-parser');
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const fail = (what: string, offset: number): never => {
    throw new ConfigurationError(`${path}:${position(text, offset)}: ${what}`);
  };
  const [error] = errors;
  if (error) {
    const words = printParseErrorCode(error.error)
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    fail(`not JSON: ${words}`, error.offset);
  }
  return root && valueOf(root, fail);
}

/** jsonc-parser's own takes the last of two values, and `__proto__` amiss. */
function valueOf(
  { type, value, children = [] }: Node,
  fail: (what: string, offset: number) => never,
): unknown {
  if (type === 'array') return children.map((child) => valueOf(child, fail));
  if (type !== 'object') return value;
  const entries = new Map<string, unknown>();
  for (const { children: [key, item] = [] } of children) {
    const name = key!.value as string;
    if (entries.has(name)) fail(`"${name}" is there twice`, key!.offset);
    entries.set(name, item && valueOf(item, fail));
  }
  return Object.fromEntries(entries);
}

/** `line:column`, both from 1. */
function position(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}
