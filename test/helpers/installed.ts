/** The programs of this machine, and what `scripts/unpack-debian.mjs` unpacked. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const unpacked = resolve(__dirname, '../../node_modules/.cache/debian/usr');

// What is installed comes first, for whatever this process starts as well.
process.env.PATH = [
  process.env.PATH ?? '',
  join(unpacked, 'bin'),
  join(unpacked, 'sbin'),
].join(delimiter);

export function isInstalled(name: string): boolean {
  return process.env.PATH!.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
