/** The daemons of a file, with all paths and defaults filled in. */
import { resolve } from 'node:path';
import type { StopOptions } from '../../control';
import { invalidArgValue } from '../../errors';
import { defaults } from '../../supervisor/options';
import { placesOf } from '../places';
import type { Definition, Definitions } from './definition';
import type { Managed, Supervisor } from './managed';
import { runArguments } from './run-arguments';
import { childPidfileBeside, stopOptionsOf } from './supervisor';

/**
 * @param folder the one of the file: relative paths count from there, and there
 *   the daemons work unless `cwd` says otherwise
 * @throws {TypeError} two have the same PID file
 */
export function describe(
  { daemons, delay = 0 }: Definitions,
  folder: string,
): Map<string, Managed> {
  const all = Object.entries(daemons).map(([name, definition]) =>
    complete(name, { delay, ...definition }, folder),
  );
  assertApart(all);
  return new Map(all.map((daemon) => [daemon.name, daemon]));
}

/** Of two with one PID file only one could run, and each would stop the other. */
function assertApart(all: readonly Managed[]): void {
  const owners = new Map<string, string>();
  for (const { name, pidfile } of all) {
    const owner = owners.get(pidfile);
    if (owner !== undefined) {
      const reason = `is that of '${owner}'`;
      throw invalidArgValue(`daemons.${name}.pidfile`, pidfile, reason);
    }
    owners.set(pidfile, name);
  }
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
  const supervisor = supervisorOf(definition, name, at);
  const daemon = {
    name,
    pidfile: at(definition.pidfile ?? places.pidfile),
    outputs: [output(stdout), output(stderr)] as const,
    dependsOn,
    delay,
    stop: stopOf(definition, supervisor),
    ...(supervisor && { supervisor }),
  };
  const args = runArguments(definition, daemon, folder);
  return { ...daemon, launch: { args, cwd: folder } };
}

function supervisorOf(
  { pidfile, respawn = false, ...definition }: Definition,
  name: string,
  at: (path: string) => string,
): Supervisor | undefined {
  if (respawn === false) return undefined;
  const { childPidfile } = respawn === true ? {} : respawn;
  const beside =
    pidfile === undefined
      ? placesOf(name).childPidfile
      : childPidfileBeside(pidfile);
  return {
    childPidfile: at(childPidfile ?? beside),
    stopSignal: definition.stopSignal ?? defaults.stopSignal,
    killTimeout: definition.killTimeout ?? defaults.killTimeout,
  };
}

function stopOf(
  definition: Definition,
  supervisor: Supervisor | undefined,
): StopOptions {
  const { stopSignal: signal, stopTimeout, killTimeout } = definition;
  return {
    ...(supervisor && stopOptionsOf(supervisor)),
    ...(stopTimeout !== undefined && { timeout: stopTimeout }),
    ...(!supervisor && signal && { signal }),
    ...(!supervisor && killTimeout !== undefined && { killTimeout }),
  };
}
