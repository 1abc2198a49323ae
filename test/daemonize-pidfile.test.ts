// Of many starts with one PID file one lives; its end makes room for the next.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { first, starts } from './helpers/daemonize';
import { firstLine, withPath } from './helpers/pidfile';
import { forEachProgram } from './helpers/programs';
import { until } from './helpers/scenario';

forEachProgram('daemonize', (program) => {
  test('a second start names the pid of the first on the terminal, and leaves it alone', () =>
    withPath((pidfile) =>
      starts(program, { pidfile }, async (pid) => {
        await program.play(
          'plain',
          [{ pidfile }],
          {},
          async (probe, second) => {
            assert.deepEqual(await probe.gone(), []);
            assert.equal(second.status, 1);
            assert.equal(second.stdout, '');
            const text = `already running with pid ${pid}, which holds '${pidfile}'`;
            assert.ok(second.stderr.includes(`DaemonError: ${text}\n`));
            assert.match(second.stderr, /code: 'ERR_DAEMON_ALREADY_RUNNING'/);
          },
        );
        assert.equal(firstLine(pidfile), `${pid}\n`);
        assert.equal(Pidfile.holder(pidfile), pid);
        process.kill(pid, 0);
      }),
    ));
});

test('an error that nobody catches removes the PID file, SIGKILL leaves it for the next', () =>
  withPath(async (pidfile) => {
    await first.play('errs', [{ pidfile }], {}, (probe) => probe.gone());
    assert.ok(!existsSync(pidfile));
    await starts(first, { pidfile }, async (pid) => {
      process.kill(pid, 'SIGKILL');
      await until('its end', () => Pidfile.holder(pidfile) === null);
      assert.equal(firstLine(pidfile), `${pid}\n`);
    });
    await starts(first, { pidfile });
  }));

test('of ten that start at once one lives, and the others are told', () =>
  withPath(async (pidfile) => {
    const all = Array.from({ length: 10 }, () =>
      first.start('plain', [{ pidfile }]),
    );
    try {
      const ends = await Promise.all(all.map(({ launched }) => launched));
      const winner = ends.findIndex(({ status }) => status === 0);
      const { pid } = await all[winner]!.probe.next();
      assert.equal(firstLine(pidfile), `${pid}\n`);
      for (const [index, { status, stderr }] of ends.entries()) {
        if (index === winner) continue;
        assert.equal(status, 1);
        assert.match(stderr, /ERR_DAEMON_ALREADY_RUNNING/);
        assert.deepEqual(await all[index]!.probe.gone(), []);
        const other = /already running with pid (\d+)/.exec(stderr)?.[1];
        if (other !== undefined) assert.equal(Number(other), pid);
      }
    } finally {
      await Promise.all(all.map(({ probe }) => probe.end()));
    }
    assert.ok(!existsSync(pidfile));
  }));
