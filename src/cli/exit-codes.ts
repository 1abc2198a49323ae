/**
 * The exit codes of the commands, LSB's for init scripts, and which errors mean
 * what.
 * @see Linux Standard Base Core 5.0, "Init Script Actions"
 */

/** Of all commands but `status`. */
export const exitCodes = {
  ok: 0,
  /** Anything without a code of its own; `run`: it is running already. */
  generic: 1,
  /** Wrong usage; an option, a name or a file that cannot be what it is. */
  arguments: 2,
  unimplemented: 3,
  /** This user may not do it. */
  privilege: 4,
  /** There is no such command on this machine. */
  notInstalled: 5,
  /** There is no file, or no entry in it, that describes the daemon. */
  notConfigured: 6,
  notRunning: 7,
} as const;

/** Of `status`. */
export const statusCodes = {
  running: 0,
  /** Dead, and its PID file is there. */
  dead: 1,
  notRunning: 3,
  unknown: 4,
} as const;

/** What a shell gives for the end by a signal. */
export const bySignal = 128;

const byErrno: Readonly<Record<string, number>> = {
  EACCES: exitCodes.privilege,
  EPERM: exitCodes.privilege,
  EROFS: exitCodes.privilege,
  ERR_DAEMON_NOT_PRIVILEGED: exitCodes.privilege,
  ERR_DAEMON_NOT_RUNNING: exitCodes.notRunning,
  ERR_INVALID_ARG_TYPE: exitCodes.arguments,
  ERR_INVALID_ARG_VALUE: exitCodes.arguments,
  ERR_OUT_OF_RANGE: exitCodes.arguments,
};

/** The exit code that an error of the library or the system comes to. */
export function exitCodeOf(error: unknown): number {
  const { code = '' } = (error ?? {}) as { code?: string };
  return byErrno[code] ?? exitCodes.generic;
}
