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
  const { env } = process;
  for (const name of Object.keys(env))
    if (!kept.includes(name) && !protocol.includes(name))
      Reflect.deleteProperty(env, name);
}

/**
 * Variables that name the process they are for follow its new pid. One that
 * names it in a way that cannot be renewed goes: the pid is enough.
 * @see sd_listen_fds(3), sd_watchdog_enabled(3)
 */
export function renamePid(before: number): void {
  const { env } = process;
  if (env.LISTEN_PID === String(before)) delete env.LISTEN_PIDFDID;
  for (const name of ['LISTEN_PID', 'WATCHDOG_PID'])
    if (env[name] === String(before)) env[name] = String(process.pid);
}
