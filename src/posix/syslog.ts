/** The system log. */
import { binding } from '../binding';
import {
  facilities,
  type Facility,
  priorities,
  type Priority,
  syslogOptions,
  type SyslogOption,
} from '../constants';
import { invalidArgType } from '../errors';
import {
  validateArray,
  validateIdent,
  validateOneOf,
  validateOptions,
} from '../validate';

/** The priorities that are to be logged, or the least urgent one of them. */
export type LogMask = readonly Priority[] | { upTo: Priority };

const priorityNames = Object.keys(priorities) as Priority[];

/**
 * Says how the messages of this process shall look, and closes a log opened
 * before. Without it {@link syslog} uses the program's name and `'user'`.
 *
 * The connection to /dev/log is made by the first message, or here and now with
 * `'ndelay'`: needed before a `chroot` to where there is no /dev/log. It is
 * the process's, Workers included.
 * @param ident stands before each message, by custom the name of the daemon:
 *   48 bytes at most, of which musl takes 31. For log daemons it ends at the
 *   first space, `:` or `[`.
 * @param options `'pid'` adds the pid, of the process that sends; `'cons'` writes
 *   to /dev/console what the log daemon cannot be given; `'perror'` writes to
 *   stderr as well, but not where stderr leads to the log; `'ndelay'` connects
 *   now; `'odelay'`, its opposite, and `'nowait'` have no effect on Linux
 * @param facility the kind of program. `'kern'` is the kernel's own: older C
 *   libraries make `'user'` of it.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: a name
 *   that does not exist, an ident that is too long or has control characters
 * @see POSIX.1-2017 openlog(); syslog(3); RFC 3164 4.1
 */
export function openlog(
  ident: string,
  options: readonly SyslogOption[] = [],
  facility: Facility = 'user',
): void {
  validateIdent(ident, 'ident');
  validateArray(options, 'options');
  options.forEach((option, i) =>
    validateOneOf(option, `options[${i}]`, Object.keys(syslogOptions)),
  );
  validateOneOf(facility, 'facility', Object.keys(facilities));
  const flags = options.reduce((sum, option) => sum | syslogOptions[option], 0);
  binding.openlog(ident, flags, facilities[facility]);
}

/**
 * Sends a message to the system log, an entry for each of its lines. The text
 * arrives as it is, in UTF-8, and `%` has no meaning in it. What would spoil a
 * log becomes visible: control characters but the tab as `\x1b`, a NUL as `\0`, a
 * lone surrogate as U+FFFD.
 *
 * A line longer than 8000 bytes (musl: 900) becomes several entries, cut between
 * two characters: each but the last ends with `...`, and each but the first
 * begins with it. busybox syslogd takes no more than 1 KiB of an entry.
 *
 * As in C, nothing tells whether it arrived: without a log daemon it is lost, and
 * while one does not read this call waits, for ever if need be.
 * `createSyslogStream` does neither.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 * @see POSIX.1-2017 syslog(); syslog(3); RFC 3164 4.1
 */
export function syslog(priority: Priority, message: string): void {
  validateOneOf(priority, 'priority', priorityNames);
  if (typeof message !== 'string')
    throw invalidArgType('message', 'of type string', message);
  binding.syslog(priorities[priority], message);
}

/**
 * Sets which priorities {@link syslog} lets through, all at the start.
 * @param mask the priorities, or `{ upTo: 'warning' }` for that and all that are
 *   more urgent. As in C, none at all (`[]`) changes nothing, it only asks.
 * @returns the mask before, the most urgent first
 * @see POSIX.1-2017 setlogmask()
 */
export function setlogmask(mask: LogMask): Priority[] {
  const before = binding.setlogmask(bits(mask));
  return priorityNames.filter((name) => before & (1 << priorities[name]));
}

function bits(mask: LogMask): number {
  if (Array.isArray(mask)) {
    return mask.reduce<number>((sum, priority, i) => {
      validateOneOf(priority, `mask[${i}]`, priorityNames);
      return sum | (1 << priorities[priority]);
    }, 0);
  }
  const given: unknown = mask;
  if (typeof given !== 'object' || given === null)
    throw invalidArgType('mask', 'an Array or of type object', given);
  validateOptions(mask, 'mask', ['upTo']);
  const { upTo } = mask as { upTo: Priority };
  validateOneOf(upTo, 'mask.upTo', priorityNames);
  return (1 << (priorities[upTo] + 1)) - 1;
}

/**
 * Closes the connection to the log daemon and forgets the ident. A message
 * later opens it again.
 * @see POSIX.1-2017 closelog()
 */
export function closelog(): void {
  binding.closelog();
}
