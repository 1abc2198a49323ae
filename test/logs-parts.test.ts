// The parts of a daemon's streams on their own: stderr later, a new root.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, withLaunching } from './helpers/launch';
import { node, read } from './helpers/logs';
import { needsRoot, withFolder } from './helpers/scenario';

/** Plays a scenario of logs-parts.mjs. */
async function playParts<T>(
  scenario: string,
  args: readonly unknown[],
  options: { pty?: boolean } = {},
): Promise<{ report: T; stdout: string; stderr: string }> {
  const launching = start(
    node,
    'logs-parts.mjs',
    [scenario, JSON.stringify(args)],
    { ...options, execArgv: ['--import', 'tsx'] },
  );
  return withLaunching(launching, async ({ probe, launched }) => {
    const { status, stdout, stderr } = await launched;
    assert.equal(status, 0, stdout + stderr);
    return { report: await probe.next<T>(), stdout, stderr };
  });
}

for (const [where, pty] of [
  ['a pipe', false],
  ['a terminal', true],
] as const) {
  for (const usedBefore of [false, true]) {
    test(`stderr stays on ${where}, ${usedBefore ? '' : 'not '}used before, until its part is redirected`, () =>
      withFolder(async (folder) => {
        const out = join(folder, 'out');
        const err = join(folder, 'err');
        const args = [['null', out, err], { usedBefore }];
        const { report, ...seen } = await playParts('later', args, { pty });
        assert.deepEqual(report, { called: 2, waiting: 0 });
        const before = usedBefore ? 'before\n' : '';
        assert.equal(
          pty ? seen.stdout : seen.stderr,
          `${before}between\n${'x'.repeat(300_000)}.\n`,
        );
        assert.equal(read(out), 'out\n');
        assert.equal(read(err), 'after\nchild\n');
      }));
  }
}

for (const shared of [false, true]) {
  test(`a log that is rotated before stderr leads to it, ${shared ? '' : 'not '}shared with stdout, is the new one`, () =>
    withFolder(async (folder) => {
      const out = join(folder, 'out');
      const err = shared ? out : join(folder, 'err');
      const args = [['null', out, err], { rename: err }];
      const { stderr } = await playParts('later', args);
      assert.equal(stderr, `between\n${'x'.repeat(300_000)}.\n`);
      const after = 'after\nchild\n';
      assert.equal(read(`${err}.1`), shared ? 'out\n' : '');
      assert.equal(read(err), shared ? `out again\n${after}` : after);
      if (!shared) assert.equal(read(out), 'out\nout again\n');
    }));
}

test(
  'under a new root a log in it is reopened, one outside is told',
  needsRoot,
  () =>
    withFolder(async (folder) => {
      const root = join(folder, 'root');
      const out = join(root, 'logs/out');
      const err = join(folder, 'err');
      mkdirSync(join(root, 'logs'), { recursive: true });
      const mv = `mv ${out} ${out}.1; mv ${err} ${err}.1`;
      const args = [['null', out, err], { root, mv }];
      const { report } = await playParts('root', args);
      assert.deepEqual(report, {
        code: 'ERR_DAEMON_LOG_OUT_OF_ROOT',
        message: `the log '${err}' cannot be reopened, it is outside of the root '${root}'`,
        path: err,
      });
      assert.equal(read(`${out}.1`), 'out before\n');
      assert.equal(read(out), 'out after\n');
      assert.equal(read(`${err}.1`), 'err before\nerr after\n');
      assert.ok(!existsSync(err));
    }),
);

test('what the program has put in the place of a log is left alone', () =>
  withFolder(async (folder) => {
    const [out, err, other] = ['out', 'err', 'other'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await playParts('other', [['null', out, err], { other }]);
    assert.deepEqual(
      [read(out), read(err), read(other)],
      ['', 'err\n', 'out\n'],
    );
  }));
