import type { StopOptions } from '../../control';

/** A daemon that a command can do something with. */
export interface Managed {
  name: string;
  /** Absolute. */
  pidfile: string;
  /** What stdout and stderr lead to: absolute paths, `'null'` or `'syslog'`. */
  outputs: readonly string[];
  dependsOn: readonly string[];
  /** ms to wait between the start of another one and this. */
  delay: number;
  stop: StopOptions;
  /** How it starts; undefined where only its PID file is known. */
  launch?: Launch;
}

/** A call of `run`. */
export interface Launch {
  /** What follows `run`, the command among it. */
  args: readonly string[];
  /** Where relative paths in them count from. */
  cwd: string;
}
