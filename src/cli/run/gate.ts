/** How the launching process learns that the command is ready. */

/** Made before the fork; one side of it is the daemon's. */
export interface Gate {
  /** In the daemon: what it has to be told. */
  variables(): Record<string, string>;
  /** In the daemon: leaves to the command what it needs, and nothing else. */
  pass(): void;
  /** In a supervisor, which passes it to each command: what those have as 0, 1, ... */
  fds(): readonly number[];
  /**
   * In a supervisor, once the command runs, and before the launching process can
   * leave: keeps nothing but what the command still needs of it.
   */
  keep(): void;
  /** In a supervisor, when nobody waits any more: the next one tells nobody. */
  drop(): void;
  /** In any process that executes other programs: leaves them nothing. */
  withhold(): void;
  /**
   * In the launching process: whether the command is ready, once it says so or
   * cannot any more.
   */
  opened(end: AbortSignal): Promise<boolean>;
  /** Whether it has said so, without waiting. */
  isOpen(): boolean;
  /** Once it has: whether it may still be waiting for an answer, and to whom. */
  readonly isOwing: boolean;
  /** Until it has its answer, if it asks within so many ms. */
  answered(ms: number): Promise<void>;
  /** What it said of itself last. */
  readonly status: string | undefined;
}
