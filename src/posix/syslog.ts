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
  validateOneOf,
  validateOptions,
  validateString,
} from '../validate';

/** The priorities that are to be logged, or the least urgent one of them. */
export type LogMask = readonly Priority[] | { upTo: Priority };

const priorityNames = Object.keys(priorities) as Priority[];

/**
 * Says how the messages of this process shall look, and closes a log opened
 * before. Without it {@link syslog} uses the program's name and `'user'`.
 *
 * The connection to /dev/log is made by the first message, or here and now with
 * `'ndelay'`: needed before a `chroot` to where there is no /dev/log.
 * @param ident stands before each message, by custom the name of the daemon
 * @param options `'pid'` adds the pid; `'cons'` writes to the console where the
 *   log daemon cannot be reached; `'perror'` writes to stderr as well; `'odelay'`
 *   and `'nowait'` have no effect on Linux
 * @param facility the kind of program. `'kern'` is the kernel's own: older C
 *   libraries make `'user'` of it.
 * @see POSIX.1-2017 openlog()
 */
export function openlog(
  ident: string,
  options: readonly SyslogOption[] = [],
  facility: Facility = 'user',
): void {
  validateString(ident, 'ident');
  validateArray(options, 'options');
  options.forEach((option, i) =>
    validateOneOf(option, `options[${i}]`, Object.keys(syslogOptions)),
  );
  validateOneOf(facility, 'facility', Object.keys(facilities));
  const flags = options.reduce((sum, option) => sum | syslogOptions[option], 0);
  binding.openlog(ident, flags, facilities[facility]);
}

/**
 * Sends a message to the system log. `%` has no meaning in it; a NUL, which
 * would end it, arrives as `\0`.
 *
 * As in C, nothing tells whether it arrived. It waits while the log daemon is
 * behind; musl cuts a message at 1 KB. `createSyslogStream` does neither.
 * @see POSIX.1-2017 syslog()
 */
export function syslog(priority: Priority, message: string): void {
  validateOneOf(priority, 'priority', priorityNames);
  if (typeof message !== 'string')
    throw invalidArgType('message', 'of type string', message);
  binding.syslog(priorities[priority], message.replaceAll('\0', '\\0'));
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
