// What is refused before the fork is an error of the call, and nothing was done.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, nobody, user } from './helpers/daemonize';
import type { LaunchOptions, Report } from './helpers/launch';
import { firstLine, withPath } from './helpers/pidfile';
import { forEachProgram } from './helpers/programs';
import { asNobody, needsRoot, withFolder } from './helpers/scenario';

interface Failure {
  name: string;
  code: string;
  message: string;
  step?: string;
  /** There is a PID file afterwards. */
  left: boolean;
}

interface Refused {
  errors: Failure[];
  before: Report;
  after: Report;
}

forEachProgram('daemonize', (program) => {
  /** Tries options that are refused, and becomes a daemon by the last. */
  const refuse = (
    list: object[],
    last: object,
    launch: LaunchOptions,
    use: (errors: Failure[], daemon: Report) => void,
  ) =>
    program.play(
      'refused',
      [list, last],
      launch,
      async (probe, { status, stderr }) => {
        assert.deepEqual([status, stderr], [0, '']);
        const { errors, before, after } = await probe.next<Refused>();
        const { umask, uids, groups, fds, pid } = before;
        assert.deepEqual(after, { umask, uids, groups, fds, pid });
        for (const { left, message } of errors) assert.ok(!left, message);
        use(errors, await probe.next());
      },
    );

  test(
    'a user that does not exist, or a disk that is full, is an error of the call, and the next call works',
    needsRoot,
    () =>
      withPath((pidfile, folder) => {
        const full = '/dev/full/x.pid';
        const size = join(folder, 'full');
        mkdirSync(size);
        const mount =
          'mount -t tmpfs -o size=4k,mode=755 none "$0"; head -c 4k /dev/zero >"$0/filler"; exec "$@"';
        const through = ['unshare', '-m', 'sh', '-c', mount, size];
        const path = join(size, 'x.pid');
        return refuse(
          [
            { user: 'no-such-user', pidfile, umask: 0o77 },
            { user: 'nobody', group: 'no-such-group', pidfile },
            { ...user, pidfile: full },
            { ...user, pidfile: path },
            { ...user, pidfile, chroot: join(folder, 'nowhere') },
            { ...user, pidfile, chroot: folder, cwd: 'nowhere' },
          ],
          { ...user, pidfile, umask: 0o27 },
          { through },
          (errors, daemon) => {
            assert.deepEqual(
              errors.map(({ code, step, message }) => [code, step, message]),
              [
                [
                  'ERR_INVALID_ARG_VALUE',
                  undefined,
                  "The property 'options.user' must be a user of this machine: no such user. Received 'no-such-user'",
                ],
                [
                  'ERR_INVALID_ARG_VALUE',
                  undefined,
                  "The property 'options.group' must be a group of this machine: no such group. Received 'no-such-group'",
                ],
                [
                  'ENOTDIR',
                  'pidfile',
                  `ENOTDIR: not a directory, open '${full}'`,
                ],
                [
                  'ENOSPC',
                  'pidfile',
                  `ENOSPC: no space left on device, write '${path}'`,
                ],
                [
                  'ENOENT',
                  'open',
                  `ENOENT: no such file or directory, chroot '${folder}/nowhere'`,
                ],
                [
                  'ENOENT',
                  'open',
                  `ENOENT: no such file or directory, chdir '${folder}/nowhere'`,
                ],
              ],
            );
            assert.deepEqual(daemon.uids, Array(4).fill(nobody));
            assert.equal(firstLine(pidfile), `${daemon.pid}\n`);
          },
        );
      }),
  );

  test(
    'who is not root is refused another user, and may be itself',
    needs('setpriv'),
    () =>
      withFolder((folder) => {
        chmodSync(folder, 0o777);
        const pidfile = join(folder, 'x.pid');
        return refuse(
          [
            { user: 'root', pidfile },
            { user: 'daemon', pidfile },
            { groups: [1], pidfile },
          ],
          { user: 'nobody', pidfile },
          { through: asNobody },
          (errors, daemon) => {
            assert.deepEqual(
              errors.map(({ code, step, message }) => [
                code,
                step,
                message.slice(0, message.indexOf(',')),
              ]),
              [
                ["'options.user' asks for uid 0"],
                ["'options.user' asks for uid 1"],
                ["'options.groups' asks for groups 1"],
              ].map(([message]) => [
                'ERR_DAEMON_NOT_PRIVILEGED',
                'users',
                message,
              ]),
            );
            assert.deepEqual(daemon.uids, Array(4).fill(nobody));
            assert.equal(firstLine(pidfile), `${daemon.pid}\n`);
          },
        );
      }),
  );
});
