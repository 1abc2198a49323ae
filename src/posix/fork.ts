/**
 * fork(2) with all threads. What it does to a Node process, and why it can:
 * docs/how-it-works.md.
 */
import { type ForkOutcome, binding } from '../binding';
import { DaemonError, PosixError } from '../errors';

/** How long other threads may take to stop, in ms. */
const deadline = 2000;

/** The system call that a step of native/forkall/ fails in. */
const syscalls: Readonly<Record<string, string>> = {
  prepare: 'mmap',
  stop: 'tgkill',
  survey: 'fork',
  fork: 'fork',
  setsid: 'setsid',
  refork: 'fork',
  replace: 'epoll_create',
  revive: 'clone',
};

/** What some errors mean, by code and step. */
const reasons: Readonly<Record<string, string>> = {
  'ENOTSUP prepare': 'this C library keeps its threads in an unknown layout',
  'ENOTSUP stop': 'a thread of this process has an unknown layout',
  'ENOTSUP survey':
    "an io_uring that is not the event loop's cannot be used by two processes",
  'EBUSY survey':
    'file operations are in flight on an io_uring (UV_USE_IO_URING=1), or threads take locks without a pause; try again',
};

/**
 * Makes a second process that is a copy of this one, with **all** its threads:
 * both are whole Node processes, with their event loop, timers, promises, libuv
 * pool, Workers and open descriptors. It returns twice.
 *
 * The child has its own epolls, eventfds, timerfds and internal pipes. Sockets
 * and files are shared, and so is work in flight: it is done in both processes.
 * `process.pid` and `crypto.randomUUID()` are the child's own; `Math.random()`
 * goes on with the same numbers in both. docs/limits.md lists what does not
 * cross a fork.
 *
 * @returns 0 in the child, the child's pid in the parent
 * @throws {DaemonError} `ERR_DAEMON_IN_WORKER` called in a Worker;
 *   `ERR_DAEMON_THREAD_NOT_STOPPED` a thread did not stop within 2 s;
 *   `ERR_DAEMON_UNSUPPORTED` the machine, the C library or an addon's io_uring
 * @throws {PosixError} `EAGAIN` the user has too many processes and threads;
 *   `ENOMEM` no memory. After any error the process goes on unharmed, alone.
 * @see POSIX.1-2017 fork(), Solaris forkall(2)
 */
export function fork(): number {
  assertForkable();
  const pid = unwrap(binding.fork(deadline));
  if (pid === 0) becomeCopy();
  return pid;
}

/**
 * fork, setsid, fork: returns only in the grandchild. The launching process
 * waits on the other end of the descriptor; see readiness.ts.
 * {@link assertForkable} comes first.
 * @param ready ms that the launching process waits, as the daemon's parent, and
 *   then ends it; 0: it waits for ever and is not the daemon's parent
 * @internal
 */
export function detach(ready: number): number {
  const channel = unwrap(binding.detach(deadline, ready));
  becomeCopy({ alone: true });
  return channel;
}

/**
 * As of `node:worker_threads`, which takes half a millisecond to load.
 * @internal
 */
export const isMainThread = (): boolean =>
  binding.gettid() === binding.getpid();

/** @internal */
export function assertForkable(): void {
  if (!isMainThread()) throw new DaemonError('ERR_DAEMON_IN_WORKER', {});
  const reason = binding.unsupported();
  if (reason !== null)
    throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
}

function unwrap({ value, step, thread }: ForkOutcome): number {
  if (value >= 0) return value;
  const error = new PosixError(value, syscalls[step] ?? 'fork');
  if (error.code === 'ETIMEDOUT')
    throw new DaemonError('ERR_DAEMON_THREAD_NOT_STOPPED', { thread });
  const reason = reasons[`${error.code} ${step}`];
  if (reason !== undefined)
    throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
  throw error;
}

/** What Node wrote down of the process it was. */
function becomeCopy({ alone = false } = {}): void {
  Object.defineProperty(process, 'pid', { value: binding.getpid() });
  if (!alone) discardRandomValues();
}

/**
 * `randomUUID` takes random bytes for 128 values at a time, once the module is
 * in use; to load it here would cost as much as the fork.
 */
function discardRandomValues(): void {
  const inAdvance = 128;
  const { moduleLoadList } = process as { moduleLoadList?: string[] };
  if (moduleLoadList?.includes('NativeModule internal/crypto/random') === false)
    return;
  const crypto = require('node:crypto') as typeof import('node:crypto');
  for (let count = 0; count < inAdvance; count++) crypto.randomUUID();
}
