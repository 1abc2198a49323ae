import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Probe } from './helpers/launch';
import { nodes } from './helpers/nodes';
import { Program } from './helpers/programs';
import { until, withFolder } from './helpers/scenario';

const program = new Program(nodes[0], 'program.cjs', 'logs');
const needsLogrotate = {
  skip:
    spawnSync('logrotate', ['--version']).error !== undefined &&
    'install logrotate',
};

/** What docs/logs.md tells to write for `/var/log/clock.log`. */
function documented(log: string, pidfile: string): string {
  const guide = readFileSync(join(__dirname, '../docs/logs.md'), 'utf8');
  const [, configuration] =
    /^```\n(\/var\/log\/clock\.log \{\n[^]*?\n\})\n```$/m.exec(guide) ?? [];
  assert.ok(configuration, 'docs/logs.md has a configuration');
  return configuration
    .replace('/var/log/clock.log', log)
    .replace('/run/clock.pid', pidfile);
}

/** A logrotate of one's own, called again and again. */
class Rotation {
  readonly log: string;
  readonly pidfile: string;
  readonly #files: readonly [configuration: string, state: string];

  constructor(folder: string) {
    this.log = join(folder, 'log');
    this.pidfile = join(folder, 'pid');
    this.#files = [join(folder, 'conf'), join(folder, 'state')];
  }

  configure(text: string): void {
    writeFileSync(this.#files[0], text, { mode: 0o644 });
  }

  async rotate(): Promise<void> {
    const [configuration, state] = this.#files;
    const args = ['--force', '--state', state, configuration];
    const { stderr } = await promisify(execFile)('logrotate', args);
    assert.equal(stderr, '');
  }

  /** All files that there are, the oldest first. */
  read(): string[] {
    const texts = [readFileSync(this.log, 'utf8')];
    for (let age = 1; existsSync(`${this.log}.${age}`); age++)
      texts.unshift(readFileSync(`${this.log}.${age}`, 'utf8'));
    return texts;
  }
}

/** Has a daemon write as fast as it does while its log is rotated. */
function rotateUnderLoad(
  configure: (rotation: Rotation) => string,
  rotate: (rotation: Rotation, probe: Probe) => Promise<void>,
  use: (texts: string[], written: number) => void,
): Promise<void> {
  return withFolder((folder) => {
    const rotation = new Rotation(folder);
    rotation.configure(configure(rotation));
    const targets = { stdout: rotation.log, stderr: rotation.log };
    return program.play('write', [targets], {}, async (probe) => {
      const { pid } = await probe.next<{ pid: number }>();
      writeFileSync(rotation.pidfile, `${pid}\n`);
      await rotate(rotation, probe);
      process.kill(pid, 'SIGUSR2');
      const { written } = await probe.next<{ written: number }>();
      use(rotation.read(), written);
    });
  });
}

const line = (number: number): string =>
  `line ${number} ${'x'.repeat(number % 100)}.`;

test(
  'in 100 rotations as documented, 5,000 lines a second are all there, once, in order',
  needsLogrotate,
  () =>
    rotateUnderLoad(
      ({ log, pidfile }) =>
        documented(log, pidfile)
          .replace('rotate 14', 'rotate 1000')
          .replace(/^ *(delay)?compress\n/gm, ''),
      async (rotation, probe) => {
        for (let count = 0; count < 100; count++) {
          // The configuration leaves empty files alone.
          await until('a line', () => statSync(rotation.log).size > 0);
          await rotation.rotate();
          assert.deepEqual(await probe.next(), { reopened: true });
        }
      },
      (texts, written) => {
        assert.equal(texts.length, 101);
        const lines = texts.join('').split('\n');
        assert.equal(lines.pop(), '');
        assert.ok(written > 1000, `${written} lines`);
        assert.equal(lines.length, written);
        for (const [number, text] of lines.entries())
          assert.equal(text, line(number));
      },
    ),
);

test(
  'the documented configuration compresses what nobody writes to any more',
  needsLogrotate,
  () =>
    withFolder((folder) => {
      const rotation = new Rotation(folder);
      const { log, pidfile } = rotation;
      rotation.configure(documented(log, pidfile));
      return program.play('serve', [{ stdout: log }], {}, async (probe) => {
        const { pid } = await probe.next<{ pid: number }>();
        writeFileSync(pidfile, String(pid));
        for (let count = 0; count < 3; count++) {
          process.kill(pid, 'SIGUSR2');
          await probe.next();
          await rotation.rotate();
          assert.deepEqual(await probe.next(), { reopened: true });
        }
        assert.equal(readFileSync(`${log}.1`, 'utf8'), 'out 3\n');
        const unzipped = ['3', '2'].map((age) =>
          spawnSync('zcat', [`${log}.${age}.gz`]).stdout.toString(),
        );
        assert.deepEqual(unzipped, ['out 1\n', 'out 2\n']);
      });
    }),
);

test(
  'a truncated log has no holes, and each line after it is whole',
  needsLogrotate,
  () =>
    rotateUnderLoad(
      ({ log }) => `${log} {\n rotate 1000\n copytruncate\n}`,
      async (rotation) => {
        for (let count = 0; count < 30; count++) await rotation.rotate();
      },
      (texts, written) => {
        assert.equal(texts.length, 31);
        let last = -1;
        for (const [age, text] of texts.entries()) {
          assert.ok(!text.includes('\0'), 'no hole');
          const lines = text.split('\n');
          // A copy may end in the middle of what is being written.
          const rest = lines.pop();
          if (age === texts.length - 1) assert.equal(rest, '');
          for (const each of lines) {
            const number = Number(/^line (\d+) /.exec(each)?.[1]);
            assert.equal(each, line(number));
            assert.ok(number > last, 'in order, once');
            last = number;
          }
        }
        assert.equal(last, written - 1);
      },
    ),
);
