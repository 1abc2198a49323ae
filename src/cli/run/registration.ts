/** Remembers how a daemon was started, for whoever asks for it by its name. */
import { resolve } from 'node:path';
import { DaemonError } from '../../errors';
import type { Target } from '../../options';
import { Pidfile } from '../../pidfile';
import type { Supervisor } from '../daemons/managed';
import { findRegistered, register } from '../registry';
import { warn } from '../terminal';
import type { Plan } from './plan';

/**
 * A name is one daemon's, whatever its PID file. To be called before the start.
 * @throws {DaemonError} `ERR_DAEMON_ALREADY_RUNNING` it runs with another file
 */
export function assertNameFree(name: string, plan: Plan): void {
  const { pidfile: path } = findRegistered(name) ?? {};
  if (path === undefined || path === pidfileOf(plan)) return;
  const pid = holderOf(path);
  if (pid !== undefined)
    throw new DaemonError('ERR_DAEMON_ALREADY_RUNNING', { pid, path });
}

/**
 * To be called once the daemon is up.
 * @param args all that followed `run`
 */
export function remember(name: string, plan: Plan, args: string[]): void {
  const [, stdout, stderr] = plan.settings.targets;
  const supervisor = supervisorOf(plan);
  try {
    register({
      name,
      args,
      cwd: process.cwd(),
      pidfile: pidfileOf(plan),
      stdout: nameOf(stdout),
      stderr: nameOf(stderr === 1 ? stdout : stderr),
      ...(supervisor && { supervisor }),
    });
  } catch (error) {
    // The daemon is up: that is what was asked for.
    warn(`it cannot be restarted by its name: ${(error as Error).message}`);
  }
}

/** One with a name always has a PID file. */
const pidfileOf = ({ settings: { pidfile } }: Plan): string =>
  resolve(pidfile!.path);

function supervisorOf({ respawn }: Plan): Supervisor | undefined {
  if (respawn?.childPidfile === undefined) return undefined;
  const { stopSignal, killTimeout } = respawn.policy;
  const childPidfile = resolve(respawn.childPidfile);
  return { childPidfile, stopSignal, killTimeout };
}

/** A descriptor leads to what nobody else can name. */
function nameOf(target: Target): string {
  const path = typeof target === 'object' ? target.path : target;
  if (path === 'syslog') return path;
  const isPath = typeof path === 'string' && path !== 'inherit';
  return isPath && path !== 'null' ? resolve(path) : 'null';
}

/** Of a file that is no PID file by now nobody is the holder. */
function holderOf(path: string): number | undefined {
  try {
    return Pidfile.holder(path) ?? undefined;
  } catch {
    return undefined;
  }
}
