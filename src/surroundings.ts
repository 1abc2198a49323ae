/**
 * Who started this process, by evidence. That the parent is process 1 proves
 * nothing: it adopts every orphan, and in a container it may be anything.
 */
import { fstatSync } from 'node:fs';
import { type Ancestor, isShell, isWaiting, readAncestor } from './ancestors';
import { getpid, getppid, getsid } from './posix/session';
import { getsockname, type SocketName } from './posix/sockets';

/** The kind of program that started this process. */
export type LauncherKind =
  'shell' | 'systemd' | 'inetd' | 'container' | 'supervisor';

/** What {@link detectSurroundings} found. */
export interface Surroundings {
  launcher: LauncherKind;
  /** Whether the process should leave for the background. */
  detach: boolean;
  /** What was seen, for a human: `'SYSTEMD_EXEC_PID is this process'`. */
  evidence: string;
}

/** The facts that the rules look at. */
interface Facts {
  /** This process, or what waits for it and for nothing else. */
  subject: Ancestor;
  /** What started the subject; undefined where it cannot be seen. */
  parent: Ancestor | undefined;
  /** Pids as this process counts them, also where /proc counts otherwise. */
  pid: number;
  ppid: number;
  /** How the evidence calls the subject. */
  who: string;
  env: NodeJS.ProcessEnv;
}

type Rule = (facts: Facts) => Surroundings | undefined;

/** Programs that are process 1 in a container and start one other program. */
const inits = new Set([
  'catatonit',
  'docker-init',
  'dumb-init',
  'podman-init',
  'STUBINIT', // systemd-nspawn --as-pid2
  'tini',
  'tini-static',
]);

/** Programs that start a container's from outside it: seen with `--pid=host`. */
const monitors = new Set(['conmon', 'containerd-shim']);

/** Programs that want what they start to stay in the foreground. */
const supervisors = new Set([
  'circusd',
  'dinit',
  'forever',
  'nodemon',
  'pm2-docker',
  'pm2-runtime',
  'runsv',
  's6-supervise',
  'supervise', // daemontools
  'supervise-daemo', // OpenRC; the kernel keeps 15 letters
  'supervisord',
]);

/** `npm run` in `npm start` in `sh -c`: deeper is a mistake or a circle. */
const MOST_WAITING = 8;

/** In the order in which they decide. */
const rules: readonly Rule[] = [inetd, systemd, container, supervisor];

/**
 * Finds out who started this process. A variable that every descendant of a
 * service inherits is no evidence by itself; one that names this very process
 * is, and so is what the kernel says of the parent. Reads two or three small
 * files of /proc, changes nothing, throws nothing.
 *
 * It is for the process that was started: after a `fork()` of its own, the
 * parent is another one.
 * @see systemd.exec(5) "Environment variables in spawned processes",
 *   sd_listen_fds(3), inetd(8), proc(5); docs/surroundings.md
 */
export function detectSurroundings(): Surroundings {
  const facts = look();
  for (const rule of rules) {
    const found = rule(facts);
    if (found) return found;
  }
  const { parent, subject } = facts;
  const started = parent
    ? `started by ${parent.name} (pid ${parent.pid})`
    : 'started by a process that cannot be seen';
  const where = subject.terminal ? 'on a terminal' : 'without a terminal';
  return { launcher: 'shell', detach: true, evidence: `${started}, ${where}` };
}

function look(): Facts {
  const [pid, ppid] = [getpid(), getppid()];
  let subject = readAncestor('self') ?? unseen(pid, ppid);
  let parent = readAncestor(subject.ppid);
  const facts = { pid, ppid, who: 'this process', env: process.env };
  // Without a /proc of its PID namespace only its own pids can be known.
  if (subject.pid !== pid) return { ...facts, subject, parent };
  for (let i = 0; parent && isWaiting(parent) && i < MOST_WAITING; i++) {
    subject = { ...parent, terminal: subject.terminal };
    parent = readAncestor(subject.ppid);
  }
  if (subject.pid === pid) return { ...facts, subject, parent };
  return {
    ...facts,
    subject,
    parent,
    pid: subject.pid,
    ppid: subject.ppid,
    who: `${subject.name}, which waits for this process`,
  };
}

function unseen(pid: number, ppid: number): Ancestor {
  const leadsSession = getsid() === pid;
  return { pid, ppid, leadsSession, terminal: false, name: '', argv: [] };
}

/** Its descriptor 0 is the connection, or the socket to wait on. */
function inetd(): Surroundings | undefined {
  const { family, named } = stdinName() ?? {};
  if (!family || family === 'other' || !named) return undefined;
  return stay('inetd', `descriptor 0 is a socket with a name (${family})`);
}

function stdinName(): SocketName | undefined {
  try {
    return fstatSync(0).isSocket() ? getsockname(0) : undefined;
  } catch {
    return undefined; // it is closed
  }
}

function systemd(facts: Facts): Surroundings | undefined {
  const { env } = facts;
  const evidence = systemdEvidence(facts);
  if (evidence === undefined) return undefined;
  if (env.NOTIFY_SOCKET !== undefined)
    return stay('systemd', `${evidence}, NOTIFY_SOCKET is set`);
  // Set for a unit with PIDFile=, which goes with Type=forking.
  if (env.PIDFILE !== undefined) {
    const seen = `${evidence}, PIDFILE is set and NOTIFY_SOCKET is not`;
    return { launcher: 'systemd', detach: true, evidence: seen };
  }
  return stay('systemd', evidence);
}

function systemdEvidence(facts: Facts): string | undefined {
  const { subject, parent, pid, ppid, who, env } = facts;
  const { SYSTEMD_EXEC_PID, LISTEN_PID, INVOCATION_ID, NOTIFY_SOCKET } = env;
  // A service leads its session. What is left of a service's environment in a
  // job of a shell, and names its pid by chance, does not.
  if (SYSTEMD_EXEC_PID === String(pid) && subject.leadsSession)
    return `SYSTEMD_EXEC_PID is ${who}`;
  if (LISTEN_PID === String(pid)) return `LISTEN_PID is ${who}`;
  // A script that is the main process of a Type=notify service. Any other
  // program there may start what it likes, and forget to take its own
  // NOTIFY_SOCKET away.
  if (
    SYSTEMD_EXEC_PID === String(ppid) &&
    NOTIFY_SOCKET !== undefined &&
    parent &&
    isShell(parent) &&
    !subject.terminal
  )
    return `SYSTEMD_EXEC_PID is the parent, the shell script ${parent.name}`;
  // Before systemd 248.
  if (
    SYSTEMD_EXEC_PID === undefined &&
    INVOCATION_ID !== undefined &&
    parent?.name === 'systemd' &&
    subject.leadsSession
  )
    return `INVOCATION_ID is set and the parent is systemd (pid ${parent.pid})`;
  return undefined;
}

function container({ pid, ppid, parent, who }: Facts) {
  if (pid === 1) return stay('container', `process 1 is ${who}`);
  if (ppid === 1 && parent && inits.has(parent.name))
    return stay('container', `the parent is ${parent.name} as process 1`);
  if (parent && monitors.has(parent.name))
    return stay('container', `the parent is ${parent.name}`);
  // Kubernetes' shareProcessNamespace: the parent is outside, 1 is `pause`.
  if (ppid === 0 && readAncestor(1)?.name === 'pause')
    return stay('container', 'the parent is outside, process 1 is pause');
  return undefined;
}

/** How systemd calls its own socket, for the system and for users. */
const socketOfSystemd = /\/systemd1?\/notify/;

function supervisor({ subject, parent, env }: Facts) {
  if (
    parent &&
    (supervisors.has(parent.name) || parent.name.startsWith('PM2 v'))
  )
    return stay('supervisor', `the parent is ${parent.name}`);
  const { NOTIFY_SOCKET } = env;
  if (
    NOTIFY_SOCKET !== undefined &&
    !socketOfSystemd.test(NOTIFY_SOCKET) &&
    !subject.terminal
  )
    return stay(
      'supervisor',
      "NOTIFY_SOCKET is set, is not systemd's, and there is no terminal",
    );
  return undefined;
}

function stay(launcher: LauncherKind, evidence: string): Surroundings {
  return { launcher, detach: false, evidence };
}
