/** What `logs` does. */
import { select, type Where } from '../daemons/selection';
import { showLogs } from '../logs/logs';

export interface LogsFlags extends Where {
  lines: number;
  follow?: true;
}

export async function logs(names: string[], flags: LogsFlags): Promise<void> {
  const daemons = await select(names, flags);
  process.exitCode = showLogs(daemons, flags.lines, flags.follow ?? false);
}
