// What fails in the daemon before it is ready is told by the launching process.
import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type Launched,
  type Launching,
  type LaunchOptions,
  within,
} from './helpers/launch';
import { needsCompiler, Preload } from './helpers/preload';
import { opens } from './helpers/processes';
import { forEachProgram } from './helpers/programs';
import { until, withFolder } from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

let number = 0;
let preload: Preload | undefined;

if (!needsCompiler.skip) preload = new Preload('faults');
after(() => preload?.remove());

forEachProgram('faults', (program) => {
  /**
   * Plays a scenario that fails in the daemon, after `interfere`.
   * @returns what the launching terminal sees
   */
  function fail(
    options: object,
    launch: LaunchOptions,
    interfere: (launching: Launching, pid: number) => Promise<void>,
    scenario = 'plain',
  ): Promise<Launched> {
    return program.watch(scenario, [options], launch, async (launching) => {
      const { probe, launched } = launching;
      const { pid } = await probe.next();
      await interfere(launching, pid);
      const result = await launched;
      assert.deepEqual(await probe.gone(), [], 'there is no daemon');
      return result;
    });
  }

  for (const pty of [false, true]) {
    const target = pty ? 'terminal' : 'stderr';
    test(
      `what fails in the daemon is told on the launcher's ${target}, which leaves with 1`,
      needsCompiler,
      () =>
        withFolder(async (folder) => {
          const cwd = join(folder, 'cwd');
          mkdirSync(cwd);
          const fifo = preload!.makeFifo(`hold-${number++}`);
          const through = preload!.command({ CHDIR_HOLD: fifo });
          const { status, stdout, stderr } = await fail(
            { cwd },
            { pty, through },
            async () => {
              const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
              rmdirSync(cwd);
              await writer.write('.');
              await writer.close();
            },
          );
          const message = `posix-daemonize: step 'chdir': ENOENT: no such file or directory, chdir '${cwd}'\n`;
          assert.equal(stdout, pty ? message : '');
          assert.equal(stderr, pty ? '' : message);
          assert.equal(status, 1);
        }),
    );
  }

  test('a folder that vanishes while output is flushed is told, and no output is lost', () =>
    withFolder(async (folder) => {
      const cwd = join(folder, 'cwd');
      const log = join(folder, 'log');
      mkdirSync(cwd);
      const { status, stdout, stderr } = await fail(
        { cwd, stdout: log },
        {},
        async ({ process: { stdout } }, pid) => {
          stdout!.pause();
          // It is opened after the folder was looked at.
          await until('the log to be open', () => opens(pid, log));
          rmdirSync(cwd);
          stdout!.resume();
        },
        'full pipe',
      );
      assert.equal(stdout, 'x'.repeat(2 ** 20));
      assert.match(stderr, /^posix-daemonize: step 'chdir': ENOENT: /);
      assert.equal(status, 1);
    }));

  test(
    'the launcher leaves with 1 when the daemon is killed before it is ready',
    needsCompiler,
    async () => {
      const through = preload!.command({ CHDIR_KILL: '1' });
      const { status, stderr } = await fail({}, { through }, async () => {});
      assert.equal(
        stderr,
        'posix-daemonize: the daemon ended before it was ready\n',
      );
      assert.equal(status, 1);
    },
  );
});
