import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For tests that need a {@link Preload}. */
export const needsCompiler = {
  skip: spawnSync('g++', ['--version']).error !== undefined && 'install g++',
};

/** `test/native/preload/<name>.cc`, to be put beneath a program. */
export class Preload {
  readonly #folder = mkdtempSync(join(tmpdir(), 'preload-'));
  readonly #library = join(this.#folder, 'preload.so');

  /** @throws {Error} the compiler's message */
  constructor(name: string) {
    const source = join(__dirname, '../native/preload', `${name}.cc`);
    const options = ['-shared', '-fPIC', '-pthread', '-Wall', '-Werror'];
    const { status, stderr } = spawnSync(
      'g++',
      [...options, '-o', this.#library, source],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
  }

  /** A new FIFO, for waiting. */
  makeFifo(name: string): string {
    const path = join(this.#folder, name);
    const { status } = spawnSync('mkfifo', [path], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`mkfifo ${path}: status ${status}`);
    return path;
  }

  /** For `through` of a launch, with what the library reads. */
  command(variables: Record<string, string>): string[] {
    const all = { LD_PRELOAD: this.#library, ...variables };
    return [
      'env',
      ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
    ];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
