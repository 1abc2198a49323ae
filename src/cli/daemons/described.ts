/** The daemons of a file, with all paths and defaults filled in. */
import { resolve } from 'node:path';
import type { StopOptions } from '../../control';
import { defaults } from '../../supervisor/options';
import { placesOf } from '../places';
import type { Definition, Definitions } from './definition';
import type { Managed } from './managed';
import { runArguments } from './run-arguments';

/**
 * @param folder the one of the file: relative paths count from there, and there
 *   the daemons work unless `cwd` says otherwise
 */
export function describe(
  { daemons, delay = 0 }: Definitions,
  folder: string,
): Map<string, Managed> {
  return new Map(
    Object.entries(daemons).map(([name, definition]) => [
      name,
      complete(name, { delay, ...definition }, folder),
    ]),
  );
}

function complete(
  name: string,
  definition: Definition,
  folder: string,
): Managed {
  const at = (path: string): string => resolve(folder, path);
  const output = (to: string): string =>
    to === 'null' || to === 'syslog' ? to : at(to);
  const places = placesOf(name);
  const { log = places.log, dependsOn = [], delay = 0 } = definition;
  const { stdout = log, stderr = stdout } = definition;
  const daemon = {
    name,
    pidfile: at(definition.pidfile ?? places.pidfile),
    outputs: [output(stdout), output(stderr)] as const,
    dependsOn,
    delay,
    stop: stopOf(definition),
  };
  const args = runArguments(definition, daemon, folder);
  return { ...daemon, launch: { args, cwd: folder } };
}

/** ms that a supervisor takes for what it does after the end of its command */
const farewell = 5000;

/** A supervisor passes the signal on, and kills the command itself. */
function stopOf({ respawn, ...definition }: Definition): StopOptions {
  const { stopSignal: signal, stopTimeout, killTimeout } = definition;
  if (respawn !== undefined && respawn !== false) {
    const patience = killTimeout ?? defaults.killTimeout;
    return { timeout: stopTimeout ?? patience + farewell };
  }
  return {
    ...(signal && { signal }),
    ...(stopTimeout !== undefined && { timeout: stopTimeout }),
    ...(killTimeout !== undefined && { killTimeout }),
  };
}
