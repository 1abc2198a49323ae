/** The datagram of sd_notify(3). */
import { binding } from '../binding';
import { check } from '../errors';

/** As numbered in native/posix/notify.h. */
const syscalls = ['socket', 'setsockopt', 'sendmsg'] as const;

/** How long a full socket may hold up the event loop, in ms. */
const patience = 1000;

/**
 * Sends a text, and duplicates of descriptors with it, to a Unix datagram
 * socket. The kernel tells the receiver which process it was.
 * @param address a path, or `@` and a name in the abstract namespace
 * @param fds 253 at most
 * @throws {PosixError} `ENOENT`, `ECONNREFUSED` nobody listens there; `EACCES`;
 *   `EBADF` one of the descriptors is not open; `EAGAIN` the receiver's queue was
 *   full for a second
 * @see unix(7)
 */
export function sendNotification(
  address: string,
  message: string,
  fds: readonly number[],
): void {
  const [result, call] = binding.notify(address, message, fds, patience);
  check(result, syscalls[call]!, address);
}
