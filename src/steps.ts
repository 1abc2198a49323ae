/**
 * The table of steps, in their order. Those before the fork happen in the
 * launching process, and each that changes something can be undone; those after
 * it happen in the daemon. A daemon that stays in the foreground leaves out the
 * fork and what belongs to it.
 *
 * daemon(7) closes descriptors, resets signals and cleans the environment before
 * it forks. Here that comes after: a program that could not fork goes on with
 * all it had.
 */
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from './context';
import { cleanEnvironment, renamePid } from './environment';
import { openLog } from './logging/reports';
import { PosixError } from './errors';
import type { Target } from './options';
import { Pidfile } from './pidfile';
import { close, listInherited } from './posix/descriptors';
import { setAside } from './posix/dispositions';
import { detach } from './posix/fork';
import { forbidCoreDumps } from './posix/limits';
import { chdir, chroot, umask } from './posix/process';
import { signal } from './posix/signals';
import { dropPrivileges, PrivilegeCheck } from './privilege-drop';
import { lookUpPrivileges, type Privileges } from './privileges';
import { Launcher } from './readiness';
import type { Settings } from './settings';
import { listen } from './shutdown';
import { ignoreJobControl, resetSignals } from './signals';
import { StandardStreams } from './stdio';
import { listActivated } from './systemd/activation';

/** One daemonization under way. */
export class Run {
  readonly settings: Settings;
  readonly streams: StandardStreams;
  readonly launchingPid = process.pid;
  oldUmask = 0;
  privileges: Privileges | undefined;
  /** Made before a chroot. */
  privilegeCheck: PrivilegeCheck | undefined;
  /** Listed before a chroot, below which there may be no /proc. */
  inherited: number[] | undefined;
  pidfile: Pidfile | undefined;
  giveBackSighup: () => void = () => {};
  launcher = new Launcher(-1);
  context: Context | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.streams = new StandardStreams(settings.targets, settings.title);
  }
}

export interface Step {
  name: string;
  /** Where it comes from. */
  source: string;
  does: (settings: Settings) => string;
  /** Left out of the table and of the run where it has nothing to do. */
  applies?: (settings: Settings) => boolean;
  /** Absent where the step before does it as well. */
  run?: (run: Run) => void;
  /** For what comes before the fork: takes it back. */
  undo?: (run: Run) => void;
}

const whenDetached = ({ detach }: Settings): boolean => detach;
const servesNobody = ({ surroundings, detach }: Settings): boolean =>
  surroundings.launcher !== 'inetd' || detach;
const givesUp = ({ privileges }: Settings): boolean =>
  Object.values(privileges).some((value) => value !== undefined);

const beforeFork: readonly Step[] = [
  {
    name: 'umask',
    source: 'APUE 13.3 rule 1; daemon(7) step 10',
    does: ({ umask }) => `umask(0${umask.toString(8)})`,
    run: (run) => (run.oldUmask = umask(run.settings.umask)),
    undo: (run) => umask(run.oldUmask),
  },
  {
    name: 'users',
    source: 'getpwnam(3), getgrouplist(3); below a chroot there is no /etc',
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
    does: ({ targets, chroot = '', cwd }) =>
      `open ${targets.map(nameTarget).join(', ')}; check ${join(chroot, cwd)}`,
    run: ({ settings: { chroot = '', cwd }, streams, privileges }) => {
      if (chroot) assertDirectory(chroot, 'chroot');
      assertDirectory(join(chroot, cwd), 'chdir');
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

const afterFork: readonly Step[] = [
  {
    name: 'setsid',
    source: 'APUE 13.3 rule 3; daemon(7) step 6',
    does: () => 'setsid(): a session of its own, without a terminal',
    applies: whenDetached,
  },
  {
    name: 'refork',
    source: 'APUE figure 13.1; daemon(7) steps 7 and 8',
    does: () =>
      'fork(); the session leader leaves: no terminal can be acquired again',
    applies: whenDetached,
  },
  {
    name: 'signals',
    source: 'daemon(7) steps 2 and 3',
    does: ({ detach }) =>
      'empty the signal mask; ignored real-time signals to their default' +
      (detach ? '; ignore SIGTSTP, SIGTTIN and SIGTTOU' : ''),
    applies: servesNobody,
    run: ({ settings }) => {
      resetSignals();
      if (settings.detach) ignoreJobControl();
    },
  },
  {
    name: 'environment',
    source: 'daemon(7) step 4; sd_listen_fds(3), sd_watchdog_enabled(3)',
    does: ({ env }) =>
      (env === 'keep' ? '' : `keep ${env.join(', ') || 'nothing'}; `) +
      'LISTEN_PID and WATCHDOG_PID follow the pid',
    applies: ({ detach, env }) => detach || env !== 'keep',
    run: ({ settings: { env }, launchingPid }) => {
      if (env !== 'keep') cleanEnvironment(env);
      renamePid(launchingPid);
    },
  },
  {
    name: 'syslog',
    source: 'APUE 13.4; openlog(3)',
    does: ({ syslog }) =>
      `openlog('${syslog!.ident}'): warnings and errors that nobody catches`,
    applies: ({ syslog }) => syslog !== undefined,
    run: ({ settings: { syslog, chroot }, streams }) =>
      openLog(syslog!, {
        now: chroot !== undefined,
        isTold: () => streams.sendsToLog(2),
      }),
  },
  {
    name: 'chroot',
    source: 'chroot(2)',
    does: ({ chroot }) => `chroot('${chroot}')`,
    applies: ({ chroot }) => chroot !== undefined,
    run: (run) => {
      const root = realpathSync(run.settings.chroot!);
      if (run.privileges) run.privilegeCheck = new PrivilegeCheck();
      run.inherited = listInherited();
      chroot(root);
      run.streams.moveRoot(root);
      run.pidfile?.moveRoot(root);
    },
  },
  {
    name: 'chdir',
    source: 'APUE 13.3 rule 4; daemon(7) step 11',
    does: ({ cwd }) => `chdir('${cwd}')`,
    run: ({ settings }) => chdir(settings.cwd),
  },
  {
    name: 'pid',
    source: 'daemon(7) step 12; FreeBSD pidfile_write(3)',
    does: ({ pidfile }) => `write the pid to ${pidfile!.path}`,
    applies: ({ pidfile }) => pidfile !== undefined,
    run: ({ pidfile }) => pidfile!.write(),
  },
  {
    name: 'close',
    source: 'APUE 13.3 rule 5; daemon(7) step 1',
    does: ({ preserveFds }) =>
      ['close inherited descriptors', ...preserveFds].join(', but not '),
    applies: ({ closeFds }) => closeFds === 'inherited',
    run: closeInherited,
  },
  {
    name: 'stdio',
    source: 'APUE 13.3 rule 6; daemon(7) step 9',
    does: ({ targets, detach, ready }) =>
      targets.map((target, fd) => `${fd}: ${nameTarget(target)}`).join(', ') +
      (detach && ready === 'manual' ? ', which 2 gets when it is ready' : ''),
    run: ({ streams, settings: { ready, detach } }) =>
      streams.redirect(detach && ready === 'manual' ? [0, 1] : [0, 1, 2]),
  },
  {
    name: 'sigchld',
    source: 'POSIX.1-2017 _Exit(): children of who ignores SIGCHLD are reaped',
    does: () => 'signal(SIGCHLD, SIG_IGN)',
    applies: ({ sigchld }) => sigchld === 'ignore',
    run: () => signal('SIGCHLD', 'ignore'),
  },
  {
    name: 'title',
    source: 'process.title',
    does: ({ title }) => `process title '${title}'`,
    applies: ({ title }) => title !== undefined,
    run: ({ settings }) => (process.title = settings.title!),
  },
  {
    name: 'privileges',
    source: 'daemon(7) step 13; CERT C POS36-C, POS37-C',
    does: ({ privileges }) =>
      `become ${describeUser(privileges)} for good, in every thread: checked`,
    applies: givesUp,
    run: ({ privileges, privilegeCheck }) =>
      privileges && dropPrivileges(privileges, privilegeCheck),
  },
  {
    name: 'core dumps',
    source: 'setrlimit(2); PEP 3143 prevent_core',
    does: () => 'setrlimit(RLIMIT_CORE, 0)',
    applies: ({ coreDumps }) => !coreDumps,
    run: forbidCoreDumps,
  },
  {
    name: 'sighup back',
    source:
      'APUE 13.6: a daemon may use SIGHUP to read its configuration again',
    does: ({ sighup }) =>
      sighup === 'default'
        ? 'SIGHUP does again what the program had set'
        : `SIGHUP: ${nameHandler(sighup)}`,
    applies: ({ detach, sighup }) => detach || sighup !== 'default',
    run: (run) => {
      run.giveBackSighup();
      if (run.settings.sighup === 'ignore') signal('SIGHUP', 'ignore');
    },
  },
  {
    name: 'sigterm',
    source: 'daemon(7) "New-Style Daemons": SIGTERM ends the daemon in order',
    does: ({ sigterm, detach }) =>
      (sigterm === 'exit' && !detach ? 'SIGTERM and SIGINT: ' : 'SIGTERM: ') +
      nameHandler(sigterm),
    run: (run) => {
      const { settings, launcher, streams, pidfile } = run;
      run.context = new Context(settings, launcher, streams, pidfile);
      listen(run.context, settings);
    },
  },
  {
    name: 'ready',
    source: 'daemon(7) steps 14 and 15; sd_notify(3)',
    does: ({ detach, ready }) => {
      const what = detach
        ? 'the launching process leaves with status 0'
        : 'a supervisor that waits is told';
      return ready === 'now' ? what : `when context.ready() is called, ${what}`;
    },
    run: ({ settings, context }) => {
      if (settings.ready === 'now') context!.ready();
    },
  },
];

/** The steps that these settings ask for, cut where the fork is. */
export function stepsFor(settings: Settings): {
  before: Step[];
  after: Step[];
} {
  const asked = ({ applies }: Step): boolean => applies?.(settings) ?? true;
  return { before: beforeFork.filter(asked), after: afterFork.filter(asked) };
}

function nameTarget(target: Target): string {
  if (typeof target === 'number') return `descriptor ${target}`;
  if (typeof target === 'object') return target.path;
  return target === 'null' ? '/dev/null' : target;
}

function nameHandler(handler: string | (() => void)): string {
  return typeof handler === 'function'
    ? `${handler.name || 'function'}()`
    : handler;
}

function describeUser(privileges: Settings['privileges']): string {
  return Object.entries(privileges)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function ownedBy(privileges: Privileges | undefined): {
  owner?: { uid: number; gid: number };
} {
  if (privileges?.uid === undefined) return {};
  const { uid, gid = process.getgid!() } = privileges;
  return { owner: { uid, gid } };
}

// A look at what is in it needs the right that chdir(2) needs, of the same
// (effective) user; access(2) would ask for the real one's.
function assertDirectory(path: string, call: string): void {
  try {
    statSync(`${path}/.`);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new PosixError(errno!, call, path);
  }
}

function closeInherited({ settings, inherited }: Run): void {
  const { preserveFds, targets, notificationFd } = settings;
  const kept = new Set<unknown>([
    ...preserveFds,
    ...listActivated(),
    ...targets,
    notificationFd,
  ]);
  for (const fd of inherited ?? listInherited()) if (!kept.has(fd)) close(fd);
}
