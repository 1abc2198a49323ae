/** What leads from the daemon and the command to others. */
import { Channel } from './channel';
import type { Deadline } from './deadline';
import type { Gate } from './gate';
import { openGate } from './gates';
import { LogLines } from './log-lines';
import type { Plan } from './plan';

/** Made before the fork, and of use on both sides of it. */
export class Wires {
  readonly channel = new Channel();
  readonly gate: Gate | undefined;
  readonly lines: LogLines;
  readonly #isSupervised: boolean;

  /** @param deadline for what the command has to tell */
  constructor(plan: Plan, deadline?: Deadline) {
    this.lines = new LogLines(plan);
    this.gate = deadline && openGate(plan.ready, plan.uids, deadline);
    this.#isSupervised = plan.respawn !== undefined;
  }

  /** In the daemon: what the command is told. */
  variables(): Record<string, string> {
    return this.gate?.variables() ?? {};
  }

  /**
   * In the daemon: the command gets what it needs of it, and nothing else; that
   * of a supervisor gets it when it is started.
   */
  pass(): void {
    this.lines.withhold();
    this.channel.withhold();
    if (this.#isSupervised) this.gate?.withhold();
    else this.gate?.pass();
  }

  /** In a supervisor, once the command runs: what is left is for the next one. */
  release(): void {
    this.lines.close();
    this.gate?.keep();
    this.channel.close();
  }

  /**
   * In another process that is to execute a program: that gets nothing. Not so
   * the lines, which a fork would cut off with close-on-exec: their own programs
   * see to that.
   */
  withhold(): void {
    this.channel.withhold();
    this.gate?.withhold();
  }
}
