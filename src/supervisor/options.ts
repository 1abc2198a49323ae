/** What the supervisor of a command can be told. */
import type { Signal } from '../constants';
import type { Pidfile } from '../pidfile';

/** When the command is started again, and how soon. */
export interface RestartOptions {
  /**
   * `'always'` after each end; `'on-failure'` not after the status 0, nor after
   * SIGHUP, SIGINT, SIGTERM and SIGPIPE, as systemd has it.
   */
  when: 'always' | 'on-failure';
  /** ms before the first restart; each time twice as long. */
  delay: number;
  /** ms that it never waits longer than. */
  maxDelay: number;
  /** ms that the command has to be up for the delays to begin anew. */
  resetAfter: number;
  /** So many restarts within so many ms; then it gives up. */
  limit: { restarts: number; window: number } | undefined;
  /** Statuses that end it; one that could not be executed has 126 or 127. */
  finalCodes: readonly number[];
}

export interface SupervisorOptions {
  /** A path, or a name to look for in PATH. */
  file: string;
  argv: readonly string[];
  restart: RestartOptions;
  /** What the command gets at SIGTERM and SIGINT. */
  stopSignal: Signal;
  /** ms from then to SIGKILL; `Infinity`: never. */
  killTimeout: number;
  /** What becomes of the command if the supervisor dies of SIGKILL. */
  orphan: 'stop' | 'keep';
  /** Opened: nobody else has the command running. */
  childPidfile?: Pidfile;
  /** File for what `status` and `list` show. */
  stateFile?: string;
}

/** What the supervisor asks of the daemon that it is. */
export interface SupervisorHooks {
  /** At SIGHUP. */
  reopenLogs: () => void;
  /** What the command is to have as its descriptors 0, 1, ...; see `spawn`. */
  fds: () => readonly number[];
  /** The command that runs from now on, for who asks; null: none. */
  runs: (pid: number | null) => void;
  /** Before the command is started again. */
  beforeRestart: () => void;
  /** When it was told to stop. */
  stopping: () => void;
}

/** docs/supervisor.md tells why. */
export const defaults = {
  when: 'always',
  delay: 100,
  maxDelay: 30_000,
  resetAfter: 10_000,
  stopSignal: 'SIGTERM',
  killTimeout: 10_000,
  orphan: 'stop',
} as const;

/** Exit status of a supervisor that has given up: EX_UNAVAILABLE of sysexits.h. */
export const gaveUp = 69;
