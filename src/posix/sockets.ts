/** Sockets among the descriptors. */
import { binding } from '../binding';
import { check } from '../errors';

/** The `AF_*` of Linux that matter here. */
const families = new Map<number, SocketFamily>([
  [1, 'unix'],
  [2, 'inet'],
  [10, 'inet6'],
  [40, 'vsock'],
]);

/** An address family, as in socket(2) without `AF_`. */
export type SocketFamily = 'unix' | 'inet' | 'inet6' | 'vsock' | 'other';

/** What getsockname(2) tells of a socket. */
export interface SocketName {
  family: SocketFamily;
  /**
   * Whether it has an address of its own: one that was bound or accepted has,
   * one of socketpair(2) has not.
   */
  named: boolean;
}

/**
 * Asks a descriptor whether it is a socket, and which.
 * @throws {PosixError} `ENOTSOCK` it is something else; `EBADF` it is not open
 * @see POSIX.1-2017 getsockname(); unix(7) for sockets without a name
 */
export function getsockname(fd: number): SocketName {
  const [result, named] = binding.getsockname(fd);
  const family = check(result, 'getsockname');
  return { family: families.get(family) ?? 'other', named: named === 1 };
}
