/** What `list` does. */
import { reportOn } from '../daemons/report';
import { selectAll, type Where } from '../daemons/selection';
import { print } from '../terminal';
import { show } from './status';

export interface ListFlags extends Where {
  json?: true;
  names?: true;
}

export async function list(names: string[], flags: ListFlags): Promise<void> {
  const daemons = await selectAll(names, flags);
  if (flags.names) for (const { name } of daemons) print(name);
  else show(daemons.map(reportOn), flags.json);
}
