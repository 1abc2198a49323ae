// What one user may do to the daemon of another, and see of it.
import assert from 'node:assert/strict';
import { chmodSync, chownSync } from 'node:fs';
import { test } from 'node:test';
import { reloadDaemon, signalDaemon, stopDaemon } from '../src/control';
import { alive } from './helpers/control';
import { withProgram } from './helpers/held';
import { play, told, withPath } from './helpers/pidfile';
import { asNobody, needsRoot } from './helpers/scenario';

test('a daemon of another user is seen, and not stopped', needsRoot, () =>
  withPath((path) =>
    withProgram(path, '', async (pid) => {
      const asked = (command: string) =>
        told<Record<string, unknown>>(['control', path, command], {
          through: asNobody,
        });
      assert.deepEqual(await asked('stop'), {
        code: 'EPERM',
        path,
        message: `EPERM: operation not permitted, pidfd_send_signal '${path}': process ${pid} belongs to another user`,
      });
      assert.ok(alive(pid));
      const seen = await asked('status');
      assert.deepEqual([seen.state, seen.pid], ['running', pid]);
      chmodSync(path, 0o600);
      assert.deepEqual(await asked('status'), {
        state: 'unknown',
        reason: `EACCES: permission denied, open '${path}'`,
      });
      assert.equal((await asked('stop')).code, 'EACCES');
    }),
  ),
);

test(
  'who owns the file has nobody stopped whom he could not stop',
  needsRoot,
  () =>
    withPath((path) =>
      withProgram(path, '', async (pid) => {
        chownSync(path, 65_534, 65_534);
        const expected = {
          code: 'ERR_DAEMON_UNSAFE_PIDFILE',
          message: `'${path}' cannot be the PID file: it belongs to the user with the uid 65534, and names process ${pid} of another user`,
        };
        assert.throws(() => signalDaemon(path, 'SIGKILL'), expected);
        await assert.rejects(stopDaemon(path), expected);
        await assert.rejects(reloadDaemon(path), expected);
        assert.ok(alive(pid));
        await withPath((path) =>
          play(['hold', path], async ({ probe }) => {
            const { pid } = await probe.next<{ pid: number }>();
            chownSync(path, 65_534, 65_534);
            assert.throws(() => signalDaemon(path, 'SIGKILL'), {
              code: 'ERR_DAEMON_UNSAFE_PIDFILE',
            });
            assert.ok(alive(pid), 'its lock makes no difference');
          }),
        );
      }),
    ),
);

const hidden = (options: string): string[] => [
  ...['unshare', '-m', 'sh', '-c'],
  `mount -t proc ${options} proc /proc && exec "$@"`,
  ...['sh', ...asNobody],
];

test(
  'where /proc hides processes, it is not guessed who lives',
  needsRoot,
  () =>
    withPath((path) =>
      withProgram(path, '', async (pid) => {
        chownSync(path, 65_534, 65_534);
        for (const [command, expected] of [
          [
            'status',
            {
              state: 'unknown',
              reason: `/proc does not tell whether it is process ${pid}`,
            },
          ],
          ['stop', { code: 'ERR_DAEMON_PID_UNKNOWN' }],
          ['start', { code: 'ERR_DAEMON_PID_UNKNOWN' }],
        ] as const) {
          const { code, state, reason } = await told<Record<string, string>>(
            ['control', path, command],
            { through: hidden('-o hidepid=2') },
          );
          const seen = code === undefined ? { state, reason } : { code };
          assert.deepEqual(seen, expected, command);
        }
        assert.ok(alive(pid));
      }),
    ),
);

test('where /proc hides processes, a lock still tells', needsRoot, () =>
  withPath((path) =>
    play(['hold', path], async ({ probe }) => {
      const { pid } = await probe.next();
      assert.deepEqual(
        await told(['control', path, 'status'], {
          through: hidden('-o hidepid=2'),
        }),
        { state: 'running', pid },
      );
    }),
  ),
);
