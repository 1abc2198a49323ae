/** The receiving end of sd_notify(3). */
import { constants } from 'node:os';
import { binding } from '../binding';
import { check } from '../errors';

/** A message of a service. */
export interface Notification {
  /** Lines such as `READY=1`. */
  text: string;
  /** The sender's user, as the kernel says. */
  uid: number;
}

/**
 * Binds a Unix datagram socket in the abstract namespace: `@name` in
 * NOTIFY_SOCKET. Such a name needs no directory, goes with the socket, and can be
 * reached after a chroot; not from another network namespace.
 * @returns the descriptor, closed on exec
 * @throws {PosixError} `EADDRINUSE` somebody has the name
 * @see unix(7)
 */
export function openNotifySocket(name: string): number {
  return check(binding.openNotifySocket(name), 'bind', `@${name}`);
}

/**
 * The next message; null where none has come. Descriptors that came with it are
 * closed.
 * @throws {PosixError} the errors of recvmsg(2)
 */
export function receiveNotification(socket: number): Notification | null {
  const [result, text, uid] = binding.receiveNotification(socket);
  if (result === -constants.errno.EAGAIN) return null;
  check(result, 'recvmsg');
  return { text, uid };
}
