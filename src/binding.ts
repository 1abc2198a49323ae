/**
 * The native addon: found, loaded and typed here, and nowhere else.
 *
 * Its functions return a value, or a negated errno that `check` of errors.ts
 * throws. Arguments were validated before they come here.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { DaemonError } from './errors';

/** As native/posix/spawn.h has it. */
export interface Program {
  file: string;
  argv: readonly string[];
  env: readonly string[];
  /** Empty: as it is. */
  cwd: string;
  /** -1: as it is. */
  umask: number;
  fds: readonly number[];
  group: number;
  deathSignal: number;
}

export interface Binding {
  getpid(): number;
  getppid(): number;
  getpgid(pid: number): number;
  setpgid(pid: number, pgid: number): number;
  getsid(pid: number): number;
  setsid(): number;

  dup2(oldfd: number, newfd: number): number;
  close(fd: number): number;
  closefrom(lowfd: number, except: readonly number[]): number;
  flock(fd: number, operation: number): number;
  /** `on`: 1 or 0. */
  setCloexec(fd: number, on: number): number;
  /** `read` is a negated errno where it fails. */
  pipe(): [read: number, write: number];

  lockRange(fd: number, start: number, length: number): number;
  unlockRange(fd: number, start: number, length: number): number;
  findLock(fd: number): [result: number, pid: number, length: number];

  disposition(signal: number): number;
  signal(signal: number, disposition: number): number;
  sigrtmin(): number;

  getrlimit(resource: number): [result: number, soft: number, hard: number];
  /** A negative limit is one that stays. */
  setrlimit(resource: number, soft: number, hard: number): number;

  /** `named`: 1 or 0. */
  getsockname(fd: number): [family: number, named: number];

  openlog(ident: string, options: number, facility: number): void;
  syslog(priority: number, message: string): void;
  setlogmask(mask: number): number;
  closelog(): void;
  /** A handle, or a negated errno. */
  openLogChannel(
    path: string,
    ident: string,
    facility: number,
    pid: boolean,
    bound: number,
    piece: number,
    patience: number,
    fallback: number,
    withoutWay: number,
    priority: number,
  ): LogHandle | number;
  sendToLog(log: LogHandle, priority: number, message: string): void;
  writeToLog(log: LogHandle, bytes: Uint8Array): void;
  endLogLine(log: LogHandle): void;
  shouldWaitForLog(handle: LogHandle): boolean;
  logStats(
    log: LogHandle,
  ): [
    queued: number,
    bytes: number,
    sent: number,
    dropped: number,
    fallback: number,
    connected: number,
  ];
  flushLog(log: LogHandle, timeout: number): boolean;
  flushAllLogs(): void;
  /** `read` is a negated errno where it fails. */
  openLogPipe(): [read: number, write: number];
  /** Read ends, or -1. */
  serveLogPipes(out: number, err: number, log: LogHandle): number;
  settleLogPipes(): void;
  endLogLines(): void;
  setLogPipePriority(fd: number, priority: number): void;

  /** `call`: which one failed, as numbered in native/posix/notify.h. */
  notify(
    address: string,
    message: string,
    fds: readonly number[],
    patience: number,
  ): [result: number, call: number];
  openNotifySocket(name: string): number;
  /** `uid`: the sender's, or -1. */
  receiveNotification(
    socket: number,
  ): [result: number, text: string, uid: number];

  pidfdOpen(pid: number): number;
  pidfdSendSignal(pidfd: number, signal: number): number;
  /** Seconds, or a negated errno. */
  boottime(): number;

  umask(mask: number): number;
  chroot(path: string): number;
  waitpid(pid: number, options: number): [result: number, status: number];
  execvp(file: string, argv: readonly string[], env: readonly string[]): number;
  /** `on`: 1 or 0. */
  setSubreaper(on: number): number;
  _exit(status: number): never;

  /** `act`: what failed, as numbered in native/posix/spawn.h. */
  spawn(program: Program): [result: number, act: number];

  /** `found` is 1, 0 where there is none, or a negated errno. */
  getpwnam(
    name: string,
  ): [found: number, name: string, uid: number, gid: number];
  getpwuid(
    uid: number,
  ): [found: number, name: string, uid: number, gid: number];
  getgrnam(name: string): [found: number, name: string, gid: number];
  getgrouplist(name: string, gid: number): number[];

  setgroups(groups: readonly number[]): number;
  setresgid(real: number, effective: number, saved: number): number;
  setresuid(real: number, effective: number, saved: number): number;
  /** A descriptor of /proc. */
  openProc(): number;
  threadStatuses(proc: number): [result: number, statuses: string[]];
  dropCapabilities(proc: number, patience: number): number;
  setDumpable(dumpable: number): number;

  gettid(): number;
  /** Why this process cannot be forked, or null. */
  unsupported(): string | null;
  /** `value`: the child's pid, or 0 in the child. */
  fork(deadline: number): ForkOutcome;
  /** fork, setsid, fork; `value`: the descriptor that leads to the launcher. */
  detach(deadline: number, ready: number): ForkOutcome;
  /** How long each step of the last fork took, in ms. */
  forkTimes(): Record<string, number>;

  /** Descriptors that came through exec(2) and that nothing here uses. */
  inheritedDescriptors(): number[];
  loopHandles(): { fd: number; type: string }[];
  /**
   * Calls back once, with 0 or a negated errno. A negated errno, or the function
   * that ends it: to be called once, before the descriptor is closed.
   */
  watchReadable(
    fd: number,
    callback: (result: number) => void,
  ): number | (() => void);
  /** Calls back in the main thread, soon after a Worker's `tellMainThread()`. */
  listenToWorkers(callback: () => void): void;
  tellMainThread(): void;
  flushStream(fd: number): number;
  writeAll(fd: number, bytes: Uint8Array): number;
  setAside(signal: number): number;
  giveBack(signal: number): number;
  resetSignals(): number;
}

/** A queue of messages, by which native/log_border.cc knows it. */
export type LogHandle = object & { readonly __log: never };

/** How a fork went: `step` and `thread` say where it failed. */
export interface ForkOutcome {
  value: number;
  step: string;
  thread: string;
}

const root = dirname(__dirname);

/**
 * The C library that this Node was built for: only glibc has RTLD_DEEPBIND.
 * (process.report knows as well, but takes longer than all the rest together.)
 */
const libc = 'RTLD_DEEPBIND' in constants.dlopen ? 'glibc' : 'musl';

/**
 * A build of one's own comes before the one in the package, as everywhere.
 * node-gyp-build knows more places, but costs as much as the whole import.
 */
function find(): string {
  const paths = [
    join(root, 'build/Release/posix_daemonize.node'),
    join(
      root,
      `prebuilds/${process.platform}-${process.arch}/posix-daemonize.${libc}.node`,
    ),
  ];
  const found = paths.find((path) => existsSync(path));
  if (found) return found;
  const elsewhere = require('node-gyp-build') as {
    path(directory: string): string;
  };
  try {
    return elsewhere.path(root);
  } catch (cause) {
    throw new DaemonError(
      'ERR_DAEMON_BINDING_MISSING',
      {
        platform: process.platform,
        arch: process.arch,
        libc,
        paths,
        command:
          'npm install --no-save node-addon-api node-gyp' +
          ' && npx node-gyp rebuild -C node_modules/posix-daemonize',
      },
      { cause },
    );
  }
}

function load(): Binding {
  const path = find();
  try {
    return require(path) as Binding;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_DLOPEN_DISABLED' && code !== 'ERR_ACCESS_DENIED')
      throw cause;
    throw new DaemonError(
      'ERR_DAEMON_UNSUPPORTED',
      {
        reason:
          'the permission model keeps native addons from being loaded;' +
          ' start Node with --allow-addons as well',
      },
      { cause },
    );
  }
}

export const binding = load();
