/** Other processes: one is meant for good, signalled, and waited for. */
import { binding } from '../binding';
import type { Signal } from '../constants';
import { check, DaemonError, PosixError } from '../errors';
import { validateFd, validatePid, validateSignal } from '../validate';

const millisecondsPerSecond = 1000;

/**
 * Opens a descriptor that means the process which has this pid now, also after
 * its end, when the pid is another's. It can be read from then on, and is closed
 * on exec.
 * @throws {PosixError} `ESRCH` there is no such process; `EMFILE`
 * @throws {DaemonError} `ERR_DAEMON_UNSUPPORTED` the kernel is older than 5.3, or
 *   a seccomp filter answers in its place
 * @see pidfd_open(2)
 */
export function pidfdOpen(pid: number): number {
  validatePid(pid, 'pid', 1);
  return supported(binding.pidfdOpen(pid), 'pidfd_open');
}

/**
 * Sends a signal to the process that a descriptor means, and to no other.
 * @throws {PosixError} `ESRCH` it has ended; `EPERM` it belongs to another user
 * @see pidfd_send_signal(2)
 */
export function pidfdSendSignal(pidfd: number, signal: Signal): void {
  validateFd(pidfd, 'pidfd');
  const number = validateSignal(signal, 'signal');
  supported(binding.pidfdSendSignal(pidfd, number), 'pidfd_send_signal');
}

function supported(result: number, syscall: string): number {
  try {
    return check(result, syscall);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSYS') throw cause;
    const reason = `the kernel has no ${syscall}(2): Linux 5.3 or later is needed`;
    throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason }, { cause });
  }
}

/**
 * Waits in the event loop, which goes on meanwhile, until a descriptor can be
 * read: for one of a process, until it has ended. It must stay open until then.
 * @param ms how long; `Infinity`: for ever
 * @param signal ends it before
 * @returns whether it can be read: false when the time is over, or by `signal`
 * @throws {PosixError} `EPERM` it is a regular file, which always can; `EEXIST`
 *   the event loop has this descriptor already
 */
export async function waitReadable(
  fd: number,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  validateFd(fd, 'fd');
  if (signal?.aborted) return false;
  return new Promise((resolve) => {
    const end = (readable: boolean): void => {
      unwatch();
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(readable);
    };
    const abort = (): void => end(false);
    // An error of the descriptor is told by who reads it.
    const unwatch = watch(fd, () => end(true));
    const timer = ms === Infinity ? undefined : setTimeout(abort, ms);
    signal?.addEventListener('abort', abort);
  });
}

function watch(fd: number, callback: () => void): () => void {
  const unwatch = binding.watchReadable(fd, callback);
  if (typeof unwatch === 'function') return unwatch;
  throw new PosixError(unwatch, 'epoll_ctl');
}

/**
 * The time since the machine was started, in ms, with the time that it was
 * suspended: the clock that the start times of processes are read from.
 * @see clock_gettime(2) CLOCK_BOOTTIME
 */
export function boottime(): number {
  return check(binding.boottime(), 'clock_gettime') * millisecondsPerSecond;
}
