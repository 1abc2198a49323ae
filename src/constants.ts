/**
 * Literals for the macros of C, with the numbers that Linux gives them on
 * x86-64 and arm64.
 */
import { binding } from './binding';

const standardSignals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGIOT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPOLL: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/**
 * A signal of Linux. Real-time signals are `'SIGRTMIN'`, `'SIGRTMIN+1'` and so
 * on up to 64, as `kill -l` counts them; those below are the C library's own.
 */
export type Signal =
  keyof typeof standardSignals | 'SIGRTMIN' | `SIGRTMIN${'+' | '-'}${number}`;

/** All but the real-time signals, by name; of two names the usual one first. */
export const signals: Readonly<Record<string, number>> = standardSignals;

/** @returns undefined for what is no name of a signal */
export function signalNumber(name: unknown): number | undefined {
  if (typeof name !== 'string') return undefined;
  if (Object.hasOwn(signals, name)) return signals[name];
  const [realTime, distance = '0'] = /^SIGRTMIN([+-]\d+)?$/.exec(name) ?? [];
  const number = binding.sigrtmin() + Number(distance);
  return realTime && number >= 32 && number <= 64 ? number : undefined;
}

/** Where two names mean one signal, the usual one. */
export function signalName(number: number): Signal {
  for (const [name, known] of Object.entries(signals))
    if (known === number) return name as Signal;
  const distance = number - binding.sigrtmin();
  if (distance === 0) return 'SIGRTMIN';
  return `SIGRTMIN${distance < 0 ? '-' : '+'}${Math.abs(distance)}`;
}

/** What happens when a signal arrives, as numbered in native/posix/signals.h. */
export const dispositions = ['default', 'ignore', 'caught'] as const;

/** The `LOCK_*` of flock(2). */
export const locks = { shared: 1, exclusive: 2, unlock: 8 } as const;

/** How a file is locked; `'unlock'` ends it. */
export type Lock = keyof typeof locks;

/** The `RLIMIT_*` of getrlimit(2). */
export const resources = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** A limited resource, named as in getrlimit(2), without `RLIMIT_`. */
export type Resource = keyof typeof resources;

/** The `LOG_*` options of openlog(3). */
export const syslogOptions = {
  pid: 0x01,
  cons: 0x02,
  odelay: 0x04,
  ndelay: 0x08,
  nowait: 0x10,
  perror: 0x20,
} as const;

/** An option of openlog(3), named as there, without `LOG_`. */
export type SyslogOption = keyof typeof syslogOptions;

/** The `LOG_*` facilities of syslog(3). */
export const facilities = {
  kern: 0 << 3,
  user: 1 << 3,
  mail: 2 << 3,
  daemon: 3 << 3,
  auth: 4 << 3,
  syslog: 5 << 3,
  lpr: 6 << 3,
  news: 7 << 3,
  uucp: 8 << 3,
  cron: 9 << 3,
  authpriv: 10 << 3,
  ftp: 11 << 3,
  local0: 16 << 3,
  local1: 17 << 3,
  local2: 18 << 3,
  local3: 19 << 3,
  local4: 20 << 3,
  local5: 21 << 3,
  local6: 22 << 3,
  local7: 23 << 3,
} as const;

/** The kind of program that logs, as syslog(3) names it, without `LOG_`. */
export type Facility = keyof typeof facilities;

/** The `LOG_*` priorities of syslog(3). */
export const priorities = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
} as const;

/** How urgent a message is, as syslog(3) names it, without `LOG_`. */
export type Priority = keyof typeof priorities;
