/** systemd's watchdog: a service that falls silent is ended and started again. */
import { invalidArgValue } from '../errors';
import { getpid } from '../posix/session';
import { notify } from './notify';

/** The longest that a timer of Node waits, in ms. */
const longestTimer = 0x7fffffff;
const microseconds = 1000;

/**
 * How long this process may be silent before the service manager ends it
 * (`WatchdogSec=` of the unit), from the environment.
 * @returns ms, or undefined where the manager does not watch this process
 * @throws {TypeError} `ERR_INVALID_ARG_VALUE` `WATCHDOG_USEC` or `WATCHDOG_PID` is
 *   malformed
 * @see sd_watchdog_enabled(3)
 */
export function watchdogInterval(): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = process.env;
  if (usec === undefined) return undefined;
  if (!/^\d+$/.test(usec) || Number(usec) === 0) {
    const reason = 'must be a number of microseconds above 0';
    throw invalidArgValue('process.env.WATCHDOG_USEC', usec, reason);
  }
  if (pid !== undefined && !/^[1-9]\d*$/.test(pid))
    throw invalidArgValue('process.env.WATCHDOG_PID', pid, 'must be a pid');
  if (pid !== undefined && Number(pid) !== getpid()) return undefined;
  return Number(usec) / microseconds;
}

/**
 * Keeps the watchdog content: tells the service manager that this process is
 * alive, now and then twice in each interval. That proves that the event loop
 * turns, and no more. Does nothing where the manager does not watch.
 *
 * It does not keep the event loop alive. A message that cannot be sent is a
 * warning of the process (`process.on('warning')`), once until one is sent
 * again. A child made by `fork()` is silent.
 * @returns stops it
 * @throws {TypeError} `ERR_INVALID_ARG_VALUE` `WATCHDOG_USEC` or `WATCHDOG_PID` is
 *   malformed
 * @see sd_watchdog_enabled(3), sd_notify(3)
 */
export function startWatchdog(): () => void {
  const interval = watchdogInterval();
  if (interval === undefined) return () => {};
  let warned = false;
  const feed = (): void => {
    try {
      if (watchdogInterval() !== undefined) notify({ watchdog: true });
      warned = false;
    } catch (error) {
      if (!warned) process.emitWarning(error as Error);
      warned = true;
    }
  };
  feed();
  const timer = setInterval(feed, Math.min(interval / 2, longestTimer)).unref();
  return () => clearInterval(timer);
}
