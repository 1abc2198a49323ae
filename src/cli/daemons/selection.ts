/** Which daemons a command is about. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { didYouMean } from '../../validate';
import { asFailure, UsageError } from '../failure';
import { placesOf } from '../places';
import {
  allRegistered,
  findRegistered,
  findRegisteredAt,
  type Registered,
} from '../registry';
import { ConfigurationError } from './configuration-error';
import { checkDefinitions } from './definition';
import { describe } from './described';
import type { Managed } from './managed';
import { inOrder } from './order';
import { findSource, readSource } from './source';
import { stopOptionsOf } from './supervisor';

/** As given after a command. */
export interface Where {
  file?: string;
  pidfile?: string;
}

/**
 * The daemons of these names, those that others depend on first. A name that the
 * file does not have is one that `run --name` was given, or a PID file at its
 * default place. Without names: all of the file.
 * @param needed whether to add those that the named ones depend on
 * @throws {ConfigurationError} the file is wrong or lacks a name; there is
 *   neither a file nor a name
 * @throws {UsageError} both a PID file and names
 */
export async function select(
  names: readonly string[],
  { file, pidfile }: Where,
  needed = false,
): Promise<Managed[]> {
  if (pidfile !== undefined) {
    assertAlone(names);
    return [byPidfile(resolve(pidfile))];
  }
  const described = await load(file);
  if (names.length === 0) {
    if (described) return inOrder(described);
    throw new ConfigurationError(
      'there is no daemons.json here',
      'give its path by --file, or the name of a daemon',
    );
  }
  const unique = [...new Set(names)];
  const own = unique.filter((name) => described?.has(name));
  const ordered = described ? inOrder(described, own) : [];
  return [
    ...ordered.filter(({ name }) => needed || own.includes(name)),
    ...unique
      .filter((name) => !own.includes(name))
      .map((name) => byName(name, described)),
  ];
}

/**
 * As `select`; without names and a file all that `run --name` was given, less
 * what `stop` has stopped.
 */
export async function selectExpected(
  names: readonly string[],
  where: Where,
): Promise<Managed[]> {
  if (names.length > 0 || where.pidfile !== undefined)
    return select(names, where);
  const described = await load(where.file);
  if (described) return inOrder(described);
  return allRegistered()
    .filter(({ stopped }) => !stopped)
    .map(registered);
}

/** As `select`; without names also all that `run --name` was given. */
export async function selectAll(
  names: readonly string[],
  where: Where,
): Promise<Managed[]> {
  if (names.length > 0) return select(names, where);
  const described = await load(where.file);
  const all = described ? inOrder(described) : [];
  const places = all.map((daemon) => daemon.pidfile);
  const others = allRegistered()
    .filter(({ pidfile }) => !places.includes(pidfile))
    .map(registered);
  return [...all, ...others];
}

function assertAlone(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new UsageError(
    `--pidfile and '${names.join(' ')}' exclude each other`,
    'the PID file alone says which daemon is meant',
  );
}

function byPidfile(pidfile: string): Managed {
  const known = findRegisteredAt(pidfile);
  return known
    ? registered(known)
    : unknown(basename(pidfile, '.pid'), pidfile);
}

async function load(
  file: string | undefined,
): Promise<ReadonlyMap<string, Managed> | undefined> {
  const path = file === undefined ? findSource() : resolve(file);
  if (path === undefined) return undefined;
  const definitions = await readSource(path);
  try {
    checkDefinitions(definitions);
    const described = describe(definitions, dirname(path));
    inOrder(described);
    return described;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { message, hint } = asFailure(error);
    throw new ConfigurationError(`${path}: ${message}`, hint);
  }
}

function byName(
  name: string,
  described: ReadonlyMap<string, Managed> | undefined,
): Managed {
  const known = findRegistered(name);
  if (known) return registered(known);
  const { pidfile } = placesOf(name);
  if (!described || existsSync(pidfile)) return unknown(name, pidfile);
  const hint = didYouMean(name, [...described.keys()]);
  throw new ConfigurationError(`there is no daemon '${name}'${hint}`);
}

function registered({
  name,
  pidfile,
  supervisor,
  ...run
}: Registered): Managed {
  return {
    ...unknown(name, pidfile),
    ...(supervisor && { supervisor, stop: stopOptionsOf(supervisor) }),
    outputs: [run.stdout, run.stderr],
    launch: { args: run.args, cwd: run.cwd },
  };
}

/** Nothing is known but the PID file. */
function unknown(name: string, pidfile: string): Managed {
  return {
    name,
    pidfile,
    outputs: [],
    dependsOn: [],
    delay: 0,
    stop: {},
  };
}
