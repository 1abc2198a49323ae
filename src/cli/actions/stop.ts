/** What `stop` does. */
import type { Signal } from '../../constants';
import type { StopOptions } from '../../control';
import { select, type Where } from '../daemons/selection';
import { stopAll } from '../daemons/stop';

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

export async function stop(
  names: string[],
  { lsb, ...flags }: StopFlags & { lsb?: true },
): Promise<void> {
  const daemons = await select(names, flags);
  const stopped = await stopAll(daemons.reverse(), stopOptions(flags));
  const failed = stopped.find(({ outcome }) => outcome === 'failed');
  const [only, ...others] = stopped;
  const asked = names.length > 0 || flags.pidfile !== undefined;
  const alone = asked && others.length === 0 && !lsb;
  process.exitCode = failed?.status ?? (alone && only ? only.status : 0);
}
