/** What happens in the launching process, where each step can be undone. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { PosixError } from './errors';
import { Pidfile } from './pidfile';
import { setAside } from './posix/dispositions';
import { detach } from './posix/fork';
import { umask } from './posix/process';
import { lookUpPrivileges, type Privileges } from './privileges';
import { Launcher } from './readiness';
import {
  describeUser,
  givesUp,
  nameTarget,
  type Step,
  whenDetached,
} from './step';

export const beforeFork: readonly Step[] = [
  {
    name: 'umask',
    source: 'APUE 13.3 rule 1; daemon(7) step 10',
    rehearsed: true,
    does: ({ umask }) => `umask(0${umask.toString(8)})`,
    run: (run) => (run.oldUmask = umask(run.settings.umask)),
    undo: (run) => umask(run.oldUmask),
  },
  {
    name: 'users',
    source: 'getpwnam(3), getgrouplist(3); below a chroot there is no /etc',
    rehearsed: true,
    does: ({ privileges }) => `look up ${describeUser(privileges)}`,
    applies: givesUp,
    run: (run) => (run.privileges = lookUpPrivileges(run.settings.privileges)),
  },
  {
    name: 'pidfile',
    source: 'daemon(7) step 12; FreeBSD pidfile_open(3)',
    does: ({ pidfile }) =>
      `open and lock ${pidfile!.path}: who has it is running already`,
    applies: ({ pidfile }) => pidfile !== undefined,
    run: (run) => {
      const { path, ...options } = run.settings.pidfile!;
      const owner = run.privileges;
      run.pidfile = Pidfile.open(path, { ...options, ...ownedBy(owner) });
    },
    undo: ({ pidfile }) => pidfile?.remove(),
  },
  {
    name: 'open',
    source: 'before the fork, so that a bad path is an error in the terminal',
    rehearsed: true,
    does: ({ targets, chroot = '', cwd }) =>
      `open ${targets.map(nameTarget).join(', ')}; check ${join(chroot, cwd)}`,
    run: (run) => {
      const { streams, privileges } = run;
      const { chroot = '', cwd, syslog } = run.settings;
      if (chroot) assertDirectory(chroot, 'chroot');
      assertDirectory(join(chroot, cwd), 'chdir');
      // A fallback file that cannot be opened is an error in the terminal.
      if (syslog) run.openLog();
      streams.open(ownedBy(privileges).owner);
    },
    undo: ({ streams }) => streams.close(),
  },
  {
    name: 'flush',
    source: 'APUE 8.3: what is buffered at a fork is written twice or never',
    does: () => 'write out what process.stdout and stderr still hold',
    run: ({ streams }) => streams.flush(),
  },
  {
    name: 'sighup aside',
    source:
      'APUE figure 13.1; the terminal may close before the daemon is free',
    does: () => 'sigaction(SIGHUP, SIG_IGN), remembering what it did',
    applies: whenDetached,
    run: (run) => (run.giveBackSighup = setAside('SIGHUP')),
    undo: (run) => run.giveBackSighup(),
  },
  {
    name: 'fork',
    source: 'APUE 13.3 rule 2; daemon(7) steps 5 and 15',
    does: () => 'fork(); the launching process waits for the daemon and leaves',
    applies: whenDetached,
    run: (run) => {
      const { ready, readyTimeout } = run.settings;
      run.launcher = new Launcher(detach(ready === 'now' ? 0 : readyTimeout));
      run.pidfile?.adopt();
    },
  },
];

/** For what is made for the user that the daemon becomes. */
export function ownedBy(privileges: Privileges | undefined): {
  owner?: { uid: number; gid: number };
} {
  if (privileges?.uid === undefined) return {};
  const { uid, gid = process.getgid!() } = privileges;
  return { owner: { uid, gid } };
}

function assertDirectory(path: string, call: string): void {
  try {
    statSync(`${path}/.`);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new PosixError(errno!, call, path);
  }
}
