/** What `restart` does. */
import type { Managed } from '../daemons/managed';
import { select } from '../daemons/selection';
import { launchOf, run, startAll } from '../daemons/start';
import { stopAll } from '../daemons/stop';
import { exitCodes } from '../exit-codes';
import { Failure } from '../failure';
import { type StopFlags, stopOptions } from './stop';

export async function restart(
  names: string[],
  flags: StopFlags,
): Promise<void> {
  const all = await select(names, flags, true);
  for (const daemon of all) await check(daemon);
  const stopped = await stopAll(
    (await select(names, flags)).reverse(),
    stopOptions(flags),
  );
  const failed = stopped.find(({ outcome }) => outcome === 'failed');
  if (failed) {
    process.exitCode = failed.status;
    return;
  }
  const started = await startAll(all);
  process.exitCode =
    started.find(({ outcome }) => outcome === 'failed')?.status ?? exitCodes.ok;
}

/** Nothing is stopped before all could start. */
async function check(daemon: Managed): Promise<void> {
  const status = await run(launchOf(daemon), { dryRun: true });
  if (status === 0) return;
  throw new Failure(
    `${daemon.name} could not be started again`,
    status,
    'nothing was stopped',
  );
}
