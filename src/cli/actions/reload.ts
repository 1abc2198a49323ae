/** What `reload` does. */
import { reloadDaemon } from '../../control';
import { select, type Where } from '../daemons/selection';
import { exitCodes } from '../exit-codes';
import { asFailure, Failure } from '../failure';
import { complain, print } from '../terminal';

export interface ReloadFlags extends Where {
  timeout?: number;
}

export async function reload(
  names: string[],
  flags: ReloadFlags,
): Promise<void> {
  const { timeout } = flags;
  let code: number = exitCodes.ok;
  for (const { name, pidfile } of await select(names, flags)) {
    try {
      const options = timeout === undefined ? {} : { timeout };
      const pid = await reloadDaemon(pidfile, options);
      print(`${name}: reloaded, pid ${pid}`);
    } catch (error) {
      const { message, status, hint } = asFailure(error);
      complain(new Failure(`${name}: ${message}`, status, hint));
      code ||= status;
    }
  }
  process.exitCode = code;
}
