/** What `start` does. */
import { select, type Where } from '../daemons/selection';
import { startAll } from '../daemons/start';
import { exitCodes } from '../exit-codes';

export async function start(
  names: string[],
  { lsb, ...flags }: Where & { lsb?: true },
): Promise<void> {
  const started = await startAll(await select(names, flags, true));
  const failed = started.find(({ outcome }) => outcome === 'failed');
  // Who asks for one daemon and nothing else wants to know who has it.
  const asked = started.find(({ daemon: { name } }) => name === names[0]);
  const alone = names.length === 1 && asked?.outcome === 'running' && !lsb;
  process.exitCode = failed?.status ?? (alone ? exitCodes.generic : 0);
}
