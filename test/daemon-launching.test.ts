// When the launching process leaves: all is done, and the daemon does not mind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nextOf, type Self } from './helpers/become';
import { type LaunchOptions, within } from './helpers/launch';
import { needsCompiler, Preload } from './helpers/preload';
import { processesMarked } from './helpers/processes';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

/** ms for what another process is about to do */
const DEADLINE = 20_000;

/** Of each launch on a terminal that closes, on each Node.js version. */
const HANGUPS = 50;

let number = 0;
let preload: Preload | undefined;

if (!needsCompiler.skip) preload = new Preload('faults');
after(() => preload?.remove());

forEachProgram('daemon', (program) => {
  test('the moment the launching process leaves, all is done', () =>
    withFolder(async (folder) => {
      const stdout = join(folder, 'log');
      const title = `all done ${process.pid}-${number++}`;
      const env = { ALL_DONE: title };
      const options = { cwd: folder, stdout, title };
      await program.play('become', [options], { env }, (_, { status }) => {
        // Without waiting for anything.
        const [daemon] = processesMarked('ALL_DONE', title);
        assert.ok(daemon);
        assert.equal(status, 0);
        assert.equal(daemon.command, title);
        const proc = `/proc/${daemon.pid}`;
        assert.equal(readlinkSync(`${proc}/cwd`), folder);
        assert.equal(readlinkSync(`${proc}/fd/1`), stdout);
        assert.equal(readlinkSync(`${proc}/fd/2`), '/dev/null');
      });
    }));

  test(
    'the launching process stays until all is done',
    needsCompiler,
    async () => {
      const fifo = preload!.makeFifo(`hold-${number++}`);
      const through = preload!.command({ CHDIR_HOLD: fifo });
      await program.watch(
        'become',
        [{}],
        { through },
        async ({ process: { pid }, probe, launched }) => {
          assert.equal((await nextOf(probe)).pid, pid);
          const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
          try {
            const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
            assert.doesNotMatch(stat, /\) [ZX] /);
            await writer.write('.');
          } finally {
            await writer.close();
          }
          assert.equal((await launched).status, 0);
          assert.equal((await nextOf(probe)).cwd, '/');
        },
      );
    },
  );

  test(
    'a launching process that is ended while it waits leaves the daemon alone',
    needsCompiler,
    async () => {
      const fifo = preload!.makeFifo(`hold-${number++}`);
      const through = preload!.command({ CHDIR_HOLD: fifo });
      await program.watch(
        'become',
        [{}],
        { through },
        async ({ process: child, probe, launched }) => {
          await nextOf(probe);
          const writer = await within(DEADLINE, 'chdir', open(fifo, 'w'));
          try {
            child.kill('SIGINT');
            await once(child, 'exit');
            await writer.write('.');
          } finally {
            await writer.close();
          }
          assert.equal((await launched).signal, 'SIGINT');
          assert.equal((await nextOf(probe)).cwd, '/');
        },
      );
    },
  );

  const launches = HANGUPS / 2;
  test(`${launches} of ${launches} daemons live whose terminal is closed the moment the launching process leaves`, async () => {
    // As the leader of the terminal's session, and as the child of a shell.
    const shell = ['sh', '-c', '"$0" "$@"; exit $?'];
    const launch = async (index: number): Promise<void> => {
      const options: LaunchOptions = {
        pty: 'hangup',
        ...(index % 2 === 1 && { through: shell }),
      };
      const rest = await program.watch(
        'become',
        [{}],
        options,
        async ({ probe, launched }) => {
          assert.equal((await launched).status, 0);
          return probe.end<unknown>();
        },
      );
      assert.equal(rest.length, 3);
      assert.equal(rest[2], 'alive');
      assert.equal((rest[1] as Self).tty, null);
    };
    await Promise.all(
      [0, 1].map(async (first) => {
        for (let index = first; index < launches; index += 2)
          await launch(index);
      }),
    );
  });
});
