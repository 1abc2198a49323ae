/** Daemons of `fixtures/daemonize.cjs` with a PID file, and who they become. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Pidfile } from 'posix-daemonize';
import { nodes } from './nodes';
import { firstLine } from './pidfile';
import { Program } from './programs';
import { needsRoot } from './scenario';

export const nobody = 65_534;
export const user = { user: 'nobody', group: nobody };

export const first = new Program(nodes[0], 'program.cjs', 'daemonize');

/** Root, and a program of Debian. */
export const needs = (program: string) => ({
  skip:
    needsRoot.skip ||
    (spawnSync(program, ['--version']).error !== undefined &&
      `install ${program}`),
});

/** With these options a daemon lives, for the time of `use`. */
export const starts = (
  program: Program,
  options: { pidfile: string },
  use: (pid: number) => Promise<void> | void = () => {},
) =>
  program.play('plain', [options], {}, async (probe, { status, stderr }) => {
    assert.deepEqual([status, stderr], [0, '']);
    const { pid } = await probe.next();
    assert.equal(firstLine(options.pidfile), `${pid}\n`);
    assert.equal(Pidfile.holder(options.pidfile), pid);
    await use(pid);
  });

/** Nothing is left of a daemon that could not be, and another one can. */
export async function assertFree(
  program: Program,
  pidfile: string,
): Promise<void> {
  assert.ok(!existsSync(pidfile), 'the PID file is removed');
  await starts(program, { pidfile });
}
