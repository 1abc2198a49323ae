/** What the program did not say itself, in the system log. */
import { inspect } from 'node:util';
import { openlog, setlogmask, syslog } from '../posix/syslog';
import type { LogSettings } from '../settings';

interface Circumstances {
  /** Connects at once: where /dev/log is about to vanish. */
  now: boolean;
  /** Whether stderr, to which Node writes the same, leads to the log by now. */
  isTold: () => boolean;
}

/**
 * Opens the system log, and from now on sends warnings of the process there
 * (`warning`), and errors that nobody catches before they end it (`crit`, with
 * the stack and all that Node would print, a line each).
 */
export function openLog(
  settings: LogSettings,
  { now, isTold }: Circumstances,
): void {
  const { ident, facility, options, mask } = settings;
  openlog(ident, now ? [...options, 'ndelay'] : options, facility);
  if (mask) setlogmask(mask);
  process.on('warning', (warning) => {
    if (!isTold()) report('warning', describeWarning(warning));
  });
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    if (!isTold())
      report('crit', typeof error === 'string' ? error : inspect(error));
  });
}

// As Node does, which writes the stack only where --trace-warnings asks for it.
function describeWarning(warning: Error): string {
  const { code, detail } = warning as { code?: string; detail?: string };
  const text = `${code ? `[${code}] ` : ''}${String(warning)}`;
  return detail ? `${text}\n${detail}` : text;
}

function report(priority: 'warning' | 'crit', text: string): void {
  for (const line of text.split('\n')) syslog(priority, line);
}
