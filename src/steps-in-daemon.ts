/** What happens in the daemon. */
import { realpathSync } from 'node:fs';
import { Context } from './context';
import { cleanEnvironment, renamePid } from './environment';
import { Reports } from './logging/reports';
import { firstNote } from './pidfile-content';
import { close, listInherited } from './posix/descriptors';
import { resetSignals } from './posix/dispositions';
import { forbidCoreDumps } from './posix/limits';
import { chdir, chroot } from './posix/process';
import { signal } from './posix/signals';
import { closelog, openlog, setlogmask } from './posix/syslog';
import { dropPrivileges, PrivilegeCheck } from './privilege-drop';
import type { Settings } from './settings';
import { listen } from './shutdown';
import { ignoreJobControl } from './signals';
import {
  describeUser,
  givesUp,
  nameTarget,
  type Run,
  type Step,
  whenDetached,
} from './step';
import { listActivated } from './systemd/activation';

const servesNobody = ({ surroundings, detach }: Settings): boolean =>
  surroundings.launcher !== 'inetd' || detach;

export const afterFork: readonly Step[] = [
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
      `openlog('${syslog!.stream.ident}'): warnings, errors that nobody catches, the end`,
    applies: ({ syslog }) => syslog !== undefined,
    run: openLog,
    undo: (run) => run.closeLog(),
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
      run.pidfile?.adopt();
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
    run: ({ pidfile }) => {
      pidfile!.write();
      pidfile!.note(firstNote);
    },
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
      run.context = new Context(run.settings, run);
      listen(run.context, run.settings);
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

function openLog(run: Run): void {
  const { syslog, chroot } = run.settings;
  const { stream, options, mask } = syslog!;
  // A connection made later would look for /dev/log in the new root.
  const { ident, facility } = stream;
  openlog(ident, chroot ? [...options, 'ndelay'] : options, facility);
  const before = setlogmask(mask ?? []);
  const reports = new Reports(run.openLog(), () => run.streams.logPipeOf(2));
  run.reports = reports;
  run.closeLog = () => {
    reports.close();
    setlogmask(before);
    closelog();
  };
}

function nameHandler(handler: string | (() => void)): string {
  return typeof handler === 'function'
    ? `${handler.name || 'function'}()`
    : handler;
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
