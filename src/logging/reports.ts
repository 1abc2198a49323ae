/** What the program did not say itself, in the system log. */
import { openlog, setlogmask, syslog } from '../posix/syslog';
import type { LogSettings } from '../settings';

/**
 * Opens the system log, and from now on sends warnings of the process there
 * (`warning`), and errors that nobody catches (`crit`, with the stack, a line
 * each) before they end it.
 * @param now connects at once: where /dev/log is about to vanish
 */
export function openLog(
  settings: LogSettings,
  { now }: { now: boolean },
): void {
  const { ident, facility, options, mask } = settings;
  openlog(ident, now ? [...options, 'ndelay'] : options, facility);
  if (mask) setlogmask(mask);
  process.on('warning', (warning) => report('warning', warning));
  process.on('uncaughtExceptionMonitor', (error) => report('crit', error));
}

function report(priority: 'warning' | 'crit', error: unknown): void {
  const text = error instanceof Error ? error.stack : undefined;
  for (const line of (text ?? String(error)).split('\n'))
    syslog(priority, line);
}
