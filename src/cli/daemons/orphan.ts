/** A command that lives on when its supervisor was killed: `--orphan keep`. */
import { resolve } from 'node:path';
import { statusOf } from '../../control';
import type { Managed } from './managed';

export interface Orphan {
  pid: number;
  /** Its own. */
  pidfile: string;
}

/**
 * @returns undefined where there is none, or the supervisor lives
 * @throws as `statusOf`
 */
export function findOrphan(daemon: Managed): Orphan | undefined {
  const { state } = statusOf(daemon.pidfile);
  if (state === 'running' || state === 'unknown') return undefined;
  const pidfile = childPidfileOf(daemon);
  const { pid } = statusOf(pidfile);
  return pid === undefined ? undefined : { pid, pidfile };
}

/** What `run` was told; else beside the supervisor's, as `run --name` has it. */
export function childPidfileOf({ pidfile, launch }: Managed): string {
  const { args = [], cwd = '/' } = launch ?? {};
  const words = args.slice(0, args.indexOf('--') + 1);
  const flag = '--child-pidfile';
  const joined = words.find((word) => word.startsWith(`${flag}=`));
  const given =
    joined?.slice(flag.length + 1) ??
    (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
  return given === undefined
    ? `${pidfile.replace(/\.pid$/, '')}.child.pid`
    : resolve(cwd, given);
}
