/** What `logs` does. */
import { select, type Where } from '../daemons/selection';
import { exitCodes } from '../exit-codes';
import { showLogs } from '../logs/logs';

export interface LogsFlags extends Where {
  lines: number;
  follow?: true;
}

export async function logs(names: string[], flags: LogsFlags): Promise<void> {
  const daemons = await select(names, flags);
  const shown = showLogs(daemons, flags.lines, flags.follow ?? false);
  process.exitCode = shown ? exitCodes.ok : exitCodes.generic;
}
