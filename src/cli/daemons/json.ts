/** JSON with comments and trailing commas. */
import type { Node, ParseError } from 'jsonc-parser';
import { ConfigurationError } from './configuration-error';

/**
 * @param path for the errors
 * @throws {ConfigurationError} with path, line and column: it is no JSON, or an
 *   object has a key twice
 */
export function parseJson(text: string, path: string): unknown {
  return parsePlain(text) ?? parseWithComments(text, path);
}

/** Many times as fast; undefined for what is not plain JSON, or not right. */
function parsePlain(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const strings = text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g);
  const keys = [...strings].filter(([, colon]) => colon !== undefined);
  // Of a key that is there twice, one is missing in the value.
  return keys.length === countKeys(value) ? value : undefined;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>(
    (sum, item) => sum + countKeys(item),
    own,
  );
}

function parseWithComments(text: string, path: string): unknown {
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
