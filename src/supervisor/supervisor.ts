/** Keeps a command running: the process that `run --respawn` leaves. */
import { basename } from 'node:path';
import type { WaitStatus } from '../posix/process';
import { signal } from '../posix/signals';
import { reapChildren } from './children';
import {
  execStatus,
  signalCommand,
  signalGroup,
  startCommand,
} from './command';
import { attempt, describeDecision, describeEnd, say } from './journal';
import {
  gaveUp,
  type SupervisorHooks,
  type SupervisorOptions,
} from './options';
import { type End, RestartPolicy, statusOf } from './policy';
import { StateFile } from './state';

/** Left to the command; SIGTERM and SIGINT end it, and the supervisor. */
const passedOn = [
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGWINCH',
] as const;

/**
 * Runs the command, and runs it again when it ends, until the policy or SIGTERM
 * says otherwise; then ends this process. It returns once the command runs. In
 * the daemon, with descriptors 0 to 2 where the command's are to be.
 *
 * The process may not have children by `node:child_process`.
 * @throws {PosixError} it could not be executed the first time
 */
export function supervise(
  options: SupervisorOptions,
  hooks: SupervisorHooks,
): void {
  new Supervisor(options, hooks).start();
}

interface Child {
  pid: number;
  /** As performance.now() has it. */
  since: number;
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #hooks: SupervisorHooks;
  readonly #policy: RestartPolicy;
  readonly #name: string;
  #child: Child | undefined;
  #isStopping = false;
  /** For the next start, or for SIGKILL. */
  #timer: NodeJS.Timeout | undefined;
  readonly #state: StateFile;

  constructor(options: SupervisorOptions, hooks: SupervisorHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#policy = new RestartPolicy(options.restart);
    this.#name = basename(options.file);
    this.#state = new StateFile(options.stateFile ?? '', say);
  }

  start(): void {
    // Before there is a child: none ends, and no signal comes, unheard.
    reapChildren((status) => this.#reaped(status));
    this.#listen();
    this.#launch();
  }

  #listen(): void {
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => this.#stop());
    for (const name of passedOn) {
      // What is ignored is so in the command as well.
      if (signal(name) === 'ignore') continue;
      process.on(name, () => this.#passOn(name));
    }
  }

  #passOn(name: (typeof passedOn)[number]): void {
    // For the next start, and what the supervisor says itself.
    if (name === 'SIGHUP') attempt(() => this.#hooks.reopenLogs());
    if (this.#child) signalCommand(this.#child.pid, name);
  }

  #launch(): void {
    const pid = startCommand(this.#options, this.#hooks.fds());
    this.#child = { pid, since: performance.now() };
    attempt(() => this.#options.childPidfile?.write(pid, { lock: false }));
    attempt(() => this.#hooks.runs(pid));
    this.#state.started(pid);
  }

  #reaped(status: WaitStatus): void {
    if (status.pid !== this.#child?.pid) return;
    const uptime = performance.now() - this.#child.since;
    const { pid } = this.#child;
    this.#child = undefined;
    clearTimeout(this.#timer);
    attempt(() => this.#hooks.runs(null));
    this.#state.ended(status);
    if (this.#isStopping) this.#leaveInOrder(this.#statusAfterStop(status));
    const what = `${this.#name} (pid ${pid}) ${describeEnd(status)}`;
    this.#goOn(what, status, uptime);
  }

  #goOn(what: string, end: End, uptime: number): void {
    const decision = this.#policy.decide(end, uptime, performance.now());
    const { limit } = this.#options.restart;
    const then = describeDecision(decision, this.#state.restarts, limit);
    const seconds = (uptime / 1000).toFixed(1);
    say(`${what}${uptime > 0 ? ` after ${seconds} s` : ''}, ${then}`);
    if (!decision.restart) {
      this.#state.left(decision.because);
      this.#leave(decision.because === 'limit' ? gaveUp : statusOf(end));
    }
    this.#timer = setTimeout(() => this.#restart(), decision.delay);
  }

  #restart(): void {
    this.#state.restarting();
    attempt(() => this.#hooks.beforeRestart());
    try {
      this.#launch();
    } catch (error) {
      const end = { exitCode: execStatus(error), signal: null };
      this.#state.ended(end);
      this.#goOn((error as Error).message, end, 0);
    }
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearTimeout(this.#timer);
    attempt(() => this.#hooks.stopping());
    if (!this.#child) this.#leaveInOrder(0);
    const { pid } = this.#child;
    const { stopSignal, killTimeout } = this.#options;
    signalGroup(pid, stopSignal);
    if (killTimeout === Infinity) return;
    this.#timer = setTimeout(() => {
      say(`${this.#name} (pid ${pid}) does not end within ${killTimeout} ms`);
      signalGroup(pid, 'SIGKILL');
    }, killTimeout);
  }

  /** To end by the signal that it was sent is what it was asked for. */
  #statusAfterStop(end: End): number {
    return end.signal === this.#options.stopSignal ? 0 : statusOf(end);
  }

  /** There is nothing to tell of it afterwards. */
  #leaveInOrder(status: number): never {
    this.#state.remove();
    this.#leave(status);
  }

  #leave(status: number): never {
    attempt(() => this.#options.childPidfile?.remove());
    process.exit(status);
  }
}
