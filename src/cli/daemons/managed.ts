import type { Signal } from '../../constants';
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
  /** Present where the process of the PID file is to be a supervisor. */
  supervisor?: Supervisor;
  /** How it starts; undefined where only its PID file is known. */
  launch?: Launch;
}

/** What the supervisor of a command was told of its end. */
export interface Supervisor {
  /** Of the command, absolute. */
  childPidfile: string;
  /** What the command gets when it is to end. */
  stopSignal: Signal;
  /** ms from then to SIGKILL; `Infinity`: never. */
  killTimeout: number;
}

/** A call of `run`. */
export interface Launch {
  /** What follows `run`, the command among it. */
  args: readonly string[];
  /** Where relative paths in them count from. */
  cwd: string;
}
