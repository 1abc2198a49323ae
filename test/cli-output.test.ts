import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { pipe } from '../src/posix/descriptors';
import { until } from './helpers/scenario';
import { cli, type Site, withSite } from './helpers/site';

/** A pipe that nobody reads. */
function openWithoutReader(): number {
  const { read, write } = pipe();
  closeSync(read);
  return write;
}

function runInto(site: Site, output: number, args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: site.folder,
    env: site.env,
    encoding: 'utf8',
    stdio: ['ignore', output, 'pipe'],
  });
  return { status, stderr };
}

const isRunning = (site: Site): boolean => site.run('status', 'a').status === 0;

const full =
  'posix-daemonize: standard output is not complete: ENOSPC: no space left on device, write\n  make room on that disk\n';

for (const [title, open, ended, stateless] of [
  [
    'a full disk is an error that names the call',
    () => openSync('/dev/full', 'w'),
    { status: 1, stderr: full },
    { status: 4, stderr: full },
  ],
  [
    'a reader that has left is none, but for the status of SIGPIPE',
    openWithoutReader,
    { status: 141, stderr: '' },
    { status: 141, stderr: '' },
  ],
] as const)
  test(`standard output, ${title}; what was to be done is done`, () =>
    withSite(async (site) => {
      const output = open();
      const script = `trap : HUP; echo up; echo >up; while :; do sleep 0.05; done`;
      site.describe({ a: { command: ['sh', '-c', script] } });
      const assertLost = (...args: string[]): void =>
        assert.deepEqual(runInto(site, output, args), ended, args.join(' '));
      try {
        assertLost('start', 'a');
        assert.ok(isRunning(site));
        assertLost('start', '--lsb', 'a');
        await until('its trap', () => existsSync(site.path('up')));
        for (const args of [
          ['list'],
          ['list', '--json'],
          ['list', '--names'],
          ['logs'],
          ['logs', '--follow'],
          ['reload', 'a'],
          ['restart', 'a'],
          ['completion', 'bash'],
          ['run', '--dry-run', 'true'],
          ['run', '--help'],
          ['--version'],
        ])
          assertLost(...args);
        for (const args of [
          ['status', 'a'],
          ['status', 'a', '--json'],
        ])
          assert.deepEqual(runInto(site, output, args), stateless);
        assert.ok(isRunning(site));
        assertLost('stop', 'a');
        assert.ok(!isRunning(site));
      } finally {
        closeSync(output);
      }
    }));

test('a status that tells more is kept where standard output is lost', () =>
  withSite((site) => {
    site.describe({ a: { command: ['sleep', '1000'] } });
    const output = openSync('/dev/full', 'w');
    for (const [args, status] of [
      [['status', 'a'], 3],
      [['stop', 'a'], 7],
    ] as const)
      assert.deepEqual(runInto(site, output, args), { status, stderr: full });
    closeSync(output);
  }));
