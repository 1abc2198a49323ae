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
  /** @defaultValue `process.env`, at each start */
  env?: NodeJS.ProcessEnv;
  /**
   * Descriptors of this process that the command has under the same number,
   * besides 0, 1 and 2.
   */
  preserveFds: readonly number[];
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
  /** What the command says of being up; it is up once it is executed otherwise. */
  readiness?: Readiness;
}

/** How the first command tells that it is up. */
export interface Readiness {
  /** Added to its environment. */
  env: NodeJS.ProcessEnv;
  /** Added to its descriptors, by their number there. */
  fds: ReadonlyMap<number, number>;
  /** Whether it is up, once it says so or cannot any more. */
  opened: (end: AbortSignal) => Promise<boolean>;
}

/** As README and docs/supervisor.md tell. */
export const defaults = {
  restart: {
    when: 'always',
    delay: 100,
    maxDelay: 30_000,
    resetAfter: 10_000,
    limit: undefined,
    finalCodes: [],
  },
  preserveFds: [],
  stopSignal: 'SIGTERM',
  killTimeout: 10_000,
  orphan: 'stop',
} as const satisfies Partial<SupervisorOptions>;

/** Exit status of a supervisor that has given up: EX_UNAVAILABLE of sysexits.h. */
export const gaveUp = 69;
