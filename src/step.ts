/** A step on the way to a daemon, and what the steps hand to each other. */
import type { Context } from './context';
import type { Reports } from './logging/reports';
import { identOf } from './logging/syslog-options';
import { createSyslogStream, type SyslogStream } from './logging/syslog-stream';
import type { Target } from './options';
import type { Pidfile } from './pidfile';
import type { PrivilegeCheck } from './privilege-drop';
import type { Privileges } from './privileges';
import { Launcher } from './readiness';
import type { Settings } from './settings';
import { StandardStreams } from './stdio';

/** One daemonization under way. */
export class Run {
  readonly settings: Settings;
  readonly streams: StandardStreams;
  readonly launchingPid = process.pid;
  oldUmask = 0;
  privileges: Privileges | undefined;
  /** Made before a chroot. */
  privilegeCheck: PrivilegeCheck | undefined;
  /** Listed before a chroot, below which there may be no /proc. */
  inherited: number[] | undefined;
  pidfile: Pidfile | undefined;
  giveBackSighup: () => void = () => {};
  launcher = new Launcher(-1);
  /** Takes back what the step 'syslog' has done. */
  closeLog: () => void = () => {};
  reports: Reports | undefined;
  context: Context | undefined;
  #log: SyslogStream | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.streams = new StandardStreams(settings.targets, () => this.openLog());
  }

  /** The daemon's way to the system log, once there is one. */
  get log(): SyslogStream | undefined {
    return this.#log;
  }

  /** Makes it, and connects: a chroot may follow. */
  openLog(): SyslogStream {
    const { syslog, title } = this.settings;
    const options = syslog?.stream ?? { ident: identOf(title) };
    return (this.#log ??= createSyslogStream(options));
  }

  /** There will be no daemon. */
  dropLog(): void {
    this.#log?.destroy();
    this.#log = undefined;
  }
}

export interface Step {
  name: string;
  /** Where it comes from. */
  source: string;
  does: (settings: Settings) => string;
  /** Left out of the table and of the run where it has nothing to do. */
  applies?: (settings: Settings) => boolean;
  /** Absent where the step before does it as well. */
  run?: (run: Run) => void;
  /** Whether it can be tried, and taken back, while another daemon runs. */
  rehearsed?: true;
  /** For what comes before the fork: takes it back. */
  undo?: (run: Run) => void;
}

export const whenDetached = ({ detach }: Settings): boolean => detach;
export const givesUp = ({ privileges }: Settings): boolean =>
  Object.values(privileges).some((value) => value !== undefined);

export function nameTarget(target: Target): string {
  if (typeof target === 'number') return `descriptor ${target}`;
  if (typeof target === 'object') return target.path;
  return target === 'null' ? '/dev/null' : target;
}

export function describeUser(privileges: Settings['privileges']): string {
  return Object.entries(privileges)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
