/** `run --respawn`: what comes in place of execve(2). */
import { Pidfile } from '../../pidfile';
import type { Run, Step } from '../../step';
import { ownedBy } from '../../steps-before-fork';
import { attempt } from '../../supervisor/journal';
import type { SupervisorOptions } from '../../supervisor/options';
import { supervise } from '../../supervisor/supervisor';
import { notify } from '../../systemd/notify';
import type { Plan } from './plan';
import type { RespawnPlan } from './respawn-options';
import type { Wires } from './wires';

/** The signals that the launching process listens to. */
const launching = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

export class Supervised {
  readonly #plan: Plan;
  readonly #respawn: RespawnPlan;
  readonly #wires: Wires | undefined;
  #childPidfile: Pidfile | undefined;

  constructor(plan: Plan, respawn: RespawnPlan, wires?: Wires) {
    this.#plan = plan;
    this.#respawn = respawn;
    this.#wires = wires;
  }

  /** By the user who starts it: the daemon's may not write there. */
  get before(): Step[] {
    const { childPidfile } = this.#respawn;
    if (childPidfile === undefined) return [];
    return [
      {
        name: 'child pidfile',
        source: '--child-pidfile; FreeBSD daemon(8) -p',
        does: () =>
          `open and lock ${childPidfile}: a command that was kept is running already`,
        run: ({ privileges, settings: { pidfile } }) => {
          const { mkdir = false } = pidfile ?? {};
          const options = { mkdir, ...ownedBy(privileges) };
          this.#childPidfile = Pidfile.open(childPidfile, options);
        },
        undo: () => this.#childPidfile?.remove(),
      },
    ];
  }

  get exec(): Step {
    const { file } = this.#plan.command;
    const { when } = this.#respawn.policy.restart;
    return {
      name: 'exec',
      source: '--respawn; FreeBSD daemon(8) -r; systemd.service(5) Restart=',
      does: () =>
        `vfork, execve('${file}'), and again when it ends (${when}): this process stays as its supervisor`,
      run: (run) => this.#supervise(run),
    };
  }

  #supervise(run: Run): void {
    for (const name of launching) process.removeAllListeners(name);
    // A user may not remove a file in root's directory: the status is not to suffer.
    process.on('exit', () => attempt(() => run.pidfile?.remove()));
    const waiting = [run.launchingPid, process.ppid];
    // Its socket is the launching process's, which has left.
    const isOwn = this.#wires?.gate && this.#plan.ready.by === 'notify';
    supervise(this.#options(), {
      stopping: () => {
        if (!isOwn) notify({ stopping: true });
      },
      reopenLogs: () => run.streams.reopen(),
      runs: (child) => run.pidfile?.note({ child }),
      fds: () => this.#wires?.gate?.fds() ?? [0, 1, 2],
      beforeRestart: () => {
        if (!waiting.includes(process.ppid)) this.#wires?.gate?.drop();
      },
    });
    this.#wires?.release();
  }

  #options(): SupervisorOptions {
    return {
      ...this.#plan.command,
      ...this.#respawn.policy,
      ...(this.#childPidfile && { childPidfile: this.#childPidfile }),
    };
  }
}
