/** sd_notify(3): what a service tells its manager, without libsystemd. */
import {
  DaemonError,
  invalidArgType,
  invalidArgValue,
  outOfRange,
} from '../errors';
import { sendNotification } from '../posix/notify';
import {
  validateArray,
  validateBoolean,
  validateFd,
  validateInteger,
  validateOneOf,
  validateOptions,
  validatePid,
  validateString,
} from '../validate';

/**
 * What {@link notify} tells; all that is given goes in one message. At most one
 * of `ready`, `reloading` and `stopping` is true. `false` is not sent.
 */
export interface NotifyState {
  /** `READY=1`: the service is up, or has read its configuration again. */
  ready?: boolean;
  /**
   * `RELOADING=1`, with the time as `MONOTONIC_USEC`: it begins to read its
   * configuration again. `ready` has to follow.
   */
  reloading?: boolean;
  /** `STOPPING=1`: it begins to shut down. */
  stopping?: boolean;
  /**
   * `STATUS=`: how it is, in one line, as `systemctl status` shows it. A line
   * break or another control character arrives as a space.
   */
  status?: string;
  /**
   * `ERRNO=`: why it fails. The sign does not matter: `error.errno` of Node's
   * errors is negative.
   */
  errno?: number;
  /**
   * `WATCHDOG=1`: it is alive. `'trigger'`: it is not well, and the manager shall
   * do what it does when a service falls silent.
   */
  watchdog?: boolean | 'trigger';
  /**
   * `WATCHDOG_USEC=`: how long it may be silent from now on, in ms. What
   * `watchdogInterval()` answers stays as it is.
   */
  watchdogTimeout?: number;
  /**
   * `EXTEND_TIMEOUT_USEC=`: how much longer the start, reload or stop under way
   * may take, in ms from now.
   */
  extendTimeout?: number;
  /**
   * `MAINPID=`: the process that the manager is to watch from now on, one of the
   * service's own.
   */
  mainpid?: number;
  /**
   * `FDSTORE=1`: open files that the manager keeps, as duplicates, and hands to
   * the next start of the service: see `listenFds()`. The unit needs
   * `FileDescriptorStoreMax=`. 253 at most.
   */
  fds?: readonly number[];
  /**
   * `FDNAME=`: the name of `fds`, or of those to be removed: up to 255 printable
   * ASCII characters, no colon. Without it they are called `stored`.
   */
  fdname?: string;
  /** `FDSTOREREMOVE=1`: the manager closes what it keeps as `fdname`. */
  fdstoreRemove?: boolean;
}

/** systemd ignores a longer message: NOTIFY_BUFFER_MAX, in bytes. */
const longest = 4096;
/** SCM_MAX_FD of the kernel. */
const maxFds = 253;
const maxErrno = 4095;
const microseconds = 1000;
/** In ms: the manager counts µs, and JavaScript up to 2^53. */
const maxTime = Math.floor(Number.MAX_SAFE_INTEGER / microseconds);

type Writer<T> = (value: T, name: string) => string | undefined;

/** How each part is written, once it is valid; undefined where it is not sent. */
const writers: {
  readonly [Key in keyof Required<NotifyState>]: Writer<
    NonNullable<NotifyState[Key]>
  >;
} = {
  ready: flag('READY=1'),
  reloading: (value, name) =>
    flag(`RELOADING=1\nMONOTONIC_USEC=${monotonicTime()}`)(value, name),
  stopping: flag('STOPPING=1'),
  status: (value, name) => {
    if (typeof value !== 'string')
      throw invalidArgType(name, 'of type string', value);
    return `STATUS=${value.replace(/\p{Cc}+/gu, ' ').trim()}`;
  },
  errno: (value, name) => {
    validateInteger(value, name, -maxErrno, maxErrno);
    return `ERRNO=${Math.abs(value)}`;
  },
  watchdog: (value, name) => {
    validateOneOf(value, name, [true, false, 'trigger']);
    if (value === 'trigger') return 'WATCHDOG=trigger';
    return value ? 'WATCHDOG=1' : undefined;
  },
  watchdogTimeout: time('WATCHDOG_USEC'),
  extendTimeout: time('EXTEND_TIMEOUT_USEC'),
  mainpid: (value, name) => {
    validatePid(value, name, 1);
    return `MAINPID=${value}`;
  },
  fds: (value, name) => {
    validateArray(value, name);
    value.forEach((fd, i) => validateFd(fd, `${name}[${i}]`));
    if (value.length > maxFds)
      throw outOfRange(`${name}.length`, `<= ${maxFds}`, value.length);
    return value.length > 0 ? 'FDSTORE=1' : undefined;
  },
  fdname: (value, name) => {
    validateString(value, name);
    if (!/^[ -9;-~]{1,255}$/.test(value)) {
      const reason =
        'must be 1 to 255 printable ASCII characters without a colon';
      throw invalidArgValue(name, value, reason);
    }
    return `FDNAME=${value}`;
  },
  fdstoreRemove: flag('FDSTOREREMOVE=1'),
};

const names = Object.keys(writers) as (keyof NotifyState)[];

/**
 * Tells the service manager that started this process, systemd or another one
 * that sets `NOTIFY_SOCKET`, how the service is doing. systemd listens where the
 * unit has `Type=notify` or `NotifyAccess=`.
 *
 * As sd_notify(3), it has arrived in the manager's queue when this returns.
 * sd_notify waits for room in the queue for ever; this does so for a second,
 * event loop included, and then fails. A path in `NOTIFY_SOCKET` has to be
 * reachable: after a `chroot` it is not, unless it is mounted there as well.
 * @returns whether something was sent: false where `NOTIFY_SOCKET` is not set, and
 *   where there is nothing to say
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, also where
 *   `NOTIFY_SOCKET` is not set
 * @throws {RangeError} `ERR_OUT_OF_RANGE`
 * @throws {PosixError} with the socket as `path`: `ENOENT`, `ECONNREFUSED` nobody
 *   listens there; `EACCES`; `EBADF` one of `fds` is not open; `EAGAIN` the manager
 *   has not read its messages for a second; `EMFILE`
 * @throws {DaemonError} `ERR_DAEMON_UNSUPPORTED` `NOTIFY_SOCKET` is no Unix socket,
 *   but for example `vsock:2:1234`
 * @see sd_notify(3)
 */
export function notify(state: NotifyState): boolean {
  const message = write(state);
  const { NOTIFY_SOCKET: address } = process.env;
  if (!address || message === '') return false;
  if (!/^[/@]./.test(address)) {
    const reason = `NOTIFY_SOCKET is '${address}', but only Unix sockets can be notified: a path or @name`;
    throw new DaemonError('ERR_DAEMON_UNSUPPORTED', { reason });
  }
  sendNotification(address, message, state.fds ?? []);
  return true;
}

function write(state: NotifyState): string {
  validateOptions(state, 'state', names);
  const { fds, fdstoreRemove } = state;
  // An empty list has nothing to name.
  const unnamed = fds?.length === 0 && fdstoreRemove !== true;
  const message = names
    .filter((name) => !(unnamed && name === 'fdname'))
    .map((name) => writePart(state, name))
    .filter((line) => line !== undefined)
    .join('\n');
  validateTogether(state);
  if (Buffer.byteLength(message) > longest) {
    const reason = `is too long: a message has ${longest} bytes at most`;
    throw invalidArgValue('state.status', state.status, reason);
  }
  return message;
}

function writePart(
  state: NotifyState,
  name: keyof NotifyState,
): string | undefined {
  const value = state[name];
  const write = writers[name] as Writer<unknown>;
  return value === undefined ? undefined : write(value, `state.${name}`);
}

/** Where systemd would take one and ignore the other, or do nothing. */
function validateTogether(state: NotifyState): void {
  const { ready, reloading, stopping, fds, fdname, fdstoreRemove } = state;
  if ([ready, reloading, stopping].filter(Boolean).length > 1) {
    const reason = 'must have at most one of ready, reloading and stopping';
    throw invalidArgValue('state', state, reason);
  }
  if (fds !== undefined && fds.length > 0 && fdstoreRemove)
    throw invalidArgValue('state', state, 'must not both store and remove');
  if (fdstoreRemove && fdname === undefined)
    throw invalidArgValue('state', state, 'must name what to remove: fdname');
  if (fdname !== undefined && fds === undefined && !fdstoreRemove) {
    const reason = 'must have fds or fdstoreRemove besides fdname';
    throw invalidArgValue('state', state, reason);
  }
}

function flag(line: string) {
  return (value: boolean, name: string): string | undefined => {
    validateBoolean(value, name);
    return value ? line : undefined;
  };
}

function time(variable: string) {
  return (value: number, name: string): string => {
    validateInteger(value, name, 1, maxTime);
    return `${variable}=${value * microseconds}`;
  };
}

/** CLOCK_MONOTONIC in µs: what libuv's hrtime reads. */
function monotonicTime(): bigint {
  return process.hrtime.bigint() / BigInt(microseconds);
}
