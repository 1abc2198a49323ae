/** The daemon's environment. */

/** How systemd and others like it speak to the process they started. */
const protocol = [
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'LISTEN_FDNAMES',
  'LISTEN_FDS',
  'LISTEN_PID',
  'NOTIFY_SOCKET',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
];

/** Removes every variable but those named, and a supervisor's protocol. */
export function cleanEnvironment(kept: readonly string[]): void {
  for (const name of Object.keys(process.env))
    if (!kept.includes(name) && !protocol.includes(name))
      delete process.env[name];
}

/**
 * Variables that name the process they are for follow its new pid.
 * @see sd_listen_fds(3), sd_watchdog_enabled(3)
 */
export function renamePid(before: number): void {
  for (const name of ['LISTEN_PID', 'WATCHDOG_PID'])
    if (process.env[name] === String(before))
      process.env[name] = String(process.pid);
}

/** systemd's sockets, where they are meant for this process. */
export function listActivated(): number[] {
  const first = 3;
  if (process.env.LISTEN_PID !== String(process.pid)) return [];
  const length = Number(process.env.LISTEN_FDS ?? 0) || 0;
  return Array.from({ length }, (_, index) => first + index);
}
