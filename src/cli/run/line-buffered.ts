/** Output by lines, from programs that would keep it until they have more. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Where GNU coreutils have what stdbuf(1) preloads. */
const libraries = [
  '/usr/libexec/coreutils/libstdbuf.so',
  '/usr/lib/coreutils/libstdbuf.so',
  '/usr/lib64/coreutils/libstdbuf.so',
  '/usr/local/libexec/coreutils/libstdbuf.so',
];

/**
 * The variables that ask for it: Python's own, and stdbuf's for programs that
 * are linked with the C library and leave stdio's buffers as they are.
 * @param preloaded LD_PRELOAD as it is
 * @param root the root directory that the program will have
 * @see stdbuf(1), python(1)
 */
export function lineBuffered(
  preloaded: string | undefined,
  root: string,
): Record<string, string> {
  const python = { PYTHONUNBUFFERED: '1' };
  const library = libraries.find((path) =>
    statSync(join(root, path), { throwIfNoEntry: false }),
  );
  if (library === undefined) return python;
  const before = preloaded ? `${preloaded}:` : '';
  return { ...python, _STDBUF_O: 'L', LD_PRELOAD: before + library };
}
