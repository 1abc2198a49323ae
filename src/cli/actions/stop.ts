/** What `stop` does. */
import type { Signal } from '../../constants';
import type { StopOptions } from '../../control';
import type { Managed } from '../daemons/managed';
import { select, type Where } from '../daemons/selection';
import { stopAll } from '../daemons/stop';
import { retire } from '../registry';
import { warn } from '../terminal';

export interface StopFlags extends Where {
  signal?: Signal;
  timeout?: number;
  killTimeout?: number;
}

export const stopOptions = (flags: StopFlags): StopOptions => ({
  ...(flags.signal && { signal: flags.signal }),
  ...(flags.timeout !== undefined && { timeout: flags.timeout }),
  ...(flags.killTimeout !== undefined && { killTimeout: flags.killTimeout }),
});

/** What follows is not for the stop to fail: that is done. */
function markStopped({ name, pidfile }: Managed): void {
  try {
    retire(name, pidfile);
  } catch (error) {
    warn(`${name} is still expected to run: ${(error as Error).message}`);
  }
}

export async function stop(
  names: string[],
  { lsb, ...flags }: StopFlags & { lsb?: true },
): Promise<void> {
  const daemons = await select(names, flags);
  const stopped = await stopAll(daemons.reverse(), stopOptions(flags));
  for (const { daemon, outcome } of stopped)
    if (outcome !== 'failed') markStopped(daemon);
  const failed = stopped.find(({ outcome }) => outcome === 'failed');
  const [only, ...others] = stopped;
  const asked = names.length > 0 || flags.pidfile !== undefined;
  const alone = asked && others.length === 0 && !lsb;
  process.exitCode = failed?.status ?? (alone && only ? only.status : 0);
}
