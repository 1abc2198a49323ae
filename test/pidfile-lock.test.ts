import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pidfile } from '../src/pidfile';
import { close } from '../src/posix/descriptors';
import { shut } from './helpers/gates';
import { nodes } from './helpers/nodes';
import {
  type Failure,
  alreadyRunning,
  firstLine,
  play,
  startScenario,
  text,
  told,
  withPath,
} from './helpers/pidfile';

test('while a process lives it holds the file; once it was killed the next one does', () =>
  withPath(async (path) => {
    await play(['hold', path], async ({ probe, process: held }) => {
      const { pid } = await probe.next();
      assert.equal(Pidfile.holder(path), pid);
      assert.throws(() => Pidfile.open(path), {
        ...alreadyRunning(path, pid),
        message: `already running with pid ${pid}, which holds '${path}'`,
      });
      assert.equal(
        firstLine(path),
        `${pid}\n`,
        'the refused one changes nothing',
      );
      held.kill('SIGKILL');
      await probe.gone();
      assert.equal(firstLine(path), `${pid}\n`);
      assert.equal(Pidfile.holder(path), null);
    });
    const pidfile = Pidfile.open(path);
    pidfile.write();
    assert.equal(pidfile.holder(), process.pid);
    pidfile.remove();
  }));

test('a daemon that has not written its pid yet is waited for, 2 s, and has none', () =>
  withPath((path) =>
    play(['be slow', path], async ({ probe }) => {
      await probe.next();
      assert.equal(Pidfile.holder(path), undefined);
      const { result, ms } = await told<{ result: Failure; ms: number }>([
        'open',
        path,
      ]);
      assert.deepEqual(result, {
        code: 'ERR_DAEMON_ALREADY_RUNNING',
        message: `already running: another process holds the lock of '${path}'`,
        path,
      });
      assert.ok(ms >= 1900, `${ms} ms`);
    }),
  ));

test('a program executed meanwhile does not keep the file', () =>
  withPath((path) =>
    play(['hold and execute', path], async ({ probe, process: held }) => {
      const { pid, cat } = await probe.next<{ pid: number; cat: number }>();
      assert.equal(Pidfile.holder(path), pid);
      const exit = once(held, 'exit');
      held.kill('SIGKILL');
      await exit;
      assert.equal(Pidfile.holder(path), null);
      assert.ok(existsSync(`/proc/${cat}`), 'it lives on');
      Pidfile.open(path).remove();
    }),
  ));

test('a file that was removed or replaced under its holder is left alone by it', () =>
  withPath((path, folder) => {
    const removed = Pidfile.open(path);
    removed.write();
    unlinkSync(path);
    assert.equal(removed.holder(), null);
    assert.equal(removed.remove(), false);

    const replaced = Pidfile.open(path);
    replaced.write();
    renameSync(path, join(folder, 'moved'));
    const other = Pidfile.open(path);
    other.write(4321);
    assert.equal(replaced.holder(), 4321);
    assert.equal(replaced.remove(), false);
    assert.equal(text(path), '4321\n');
    assert.equal(
      text(join(folder, 'moved')),
      '',
      'its own says no pid any more',
    );
    assert.equal(other.remove(), true);
  }));

for (const testNode of nodes) {
  test(`a daemon keeps the lock, and removes the file at its end: Node.js ${testNode.version}`, () =>
    withPath((path) =>
      play(
        ['daemon', path],
        async ({ probe, launched }) => {
          const { launcher, pid, fd } =
            await probe.next<Record<string, number>>();
          assert.equal((await launched).status, 0);
          assert.ok(!existsSync(`/proc/${launcher}`));
          assert.notEqual(pid, launcher);
          assert.equal(firstLine(path), `${pid}\n`);
          assert.equal(Pidfile.holder(path), pid);
          assert.throws(() => Pidfile.open(path), alreadyRunning(path, pid));
          const { result } = await told<{ result: Failure }>(['open', path]);
          assert.deepEqual(
            [result.code, result.pid],
            ['ERR_DAEMON_ALREADY_RUNNING', pid],
          );
          const flags = /^flags:\s*(\d+)$/m.exec(
            text(`/proc/${pid}/fdinfo/${fd}`),
          )![1]!;
          assert.ok(Number.parseInt(flags, 8) & 0o2000000, 'closed on exec');
          assert.deepEqual(await probe.end(), [{ removed: true }]);
          assert.ok(!existsSync(path));
        },
        {},
        [testNode],
      ),
    ));
}

test('a forked child neither unlocks the file nor removes it', () =>
  withPath((path) =>
    play(['fork', path], async ({ probe }) => {
      const closed = await probe.next<{ seen: number }>();
      const removed = await probe.next();
      const parent = await probe.next<{ pid: number }>();
      const { pid } = parent;
      assert.deepEqual(closed, { role: 'child', seen: pid, closed: -1 });
      assert.deepEqual(removed, {
        role: 'child',
        removed: false,
        left: String(pid),
      });
      assert.deepEqual(parent, {
        role: 'parent',
        pid,
        afterClose: pid,
        afterRemove: pid,
        removed: true,
      });
    }),
  ));

test('close() in the launching process leaves the lock to the forked one', () =>
  withPath((path) =>
    play(
      ['close in the launcher', path],
      async ({ probe, launched }) => {
        const pid = await probe.next<number>();
        assert.equal((await launched).status, 0);
        assert.equal(Pidfile.holder(path), pid);
      },
      { until: 'exit' },
    ),
  ));

/** How a start went: `other` is the pid that the error names. */
interface Told {
  pid: number;
  code: string | null;
  other: number | null;
}

test(
  'of 20 that start at the same moment exactly one has the file',
  { timeout: 120_000 },
  () =>
    withPath(async (_, folder) => {
      const rounds = 8;
      const gates = Array.from({ length: rounds }, (_, round) => {
        const path = join(folder, `${round}.pid`);
        // Taken over in every second round, made in the others.
        if (round % 2) writeFileSync(path, '4194303\n');
        return {
          path,
          begin: shut(join(folder, `${round}.begin`)),
          end: shut(join(folder, `${round}.end`)),
        };
      });
      const launch = (scenario: string) =>
        startScenario([scenario, folder, String(rounds)]);
      const watchers = Array.from({ length: 2 }, () => launch('watch'));
      const contenders = Array.from({ length: 20 }, () => launch('contend'));
      const everybody = [...contenders, ...watchers];
      try {
        for (const { path, begin, end } of gates) {
          for (const { probe } of everybody)
            assert.equal(await probe.next(), 'ready');
          close(begin);
          const told = contenders.map(({ probe }) => probe.next<Told>());
          const results = await Promise.all(told);
          const winners = results.filter(({ code }) => code === null);
          assert.equal(winners.length, 1, JSON.stringify(results));
          const { pid } = winners[0]!;
          assert.equal(Pidfile.holder(path), pid);
          for (const { code, other } of results) {
            assert.ok(code === null || code === 'ERR_DAEMON_ALREADY_RUNNING');
            assert.ok(other === null || other === pid, `no such pid: ${other}`);
          }
          close(end);
          const known = ['null', 'undefined', String(pid)];
          for (const { probe } of watchers)
            for (const seen of await probe.next<string[]>())
              assert.ok(known.includes(seen), `nobody of that pid: ${seen}`);
        }
      } finally {
        for (const { process } of everybody) process.kill('SIGKILL');
        await Promise.all(everybody.map(({ probe }) => probe.end()));
      }
    }),
);

test('of 4 that come and go no two ever have the file together', () =>
  withPath(async (path) => {
    const times = 300;
    const args = ['come and go', path, String(times)];
    const counts = Array.from({ length: 4 }, () =>
      told<number>(args).catch(String),
    );
    assert.deepEqual(await Promise.all(counts), [times, times, times, times]);
    assert.ok(!existsSync(path));
  }));
