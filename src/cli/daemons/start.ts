/** Starts daemons, in order, each by `run`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { statusOf } from '../../control';
import { bySignal, exitCodes } from '../exit-codes';
import { asFailure, Failure } from '../failure';
import { dieBy, listenFor } from '../signals';
import { complain, print } from '../terminal';
import type { Launch, Managed } from './managed';

/** Those that a user, a script or the end of a session ends this process with. */
const ending = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

/** What became of the start of one daemon. */
export interface Started {
  daemon: Managed;
  outcome: 'started' | 'running' | 'failed';
  /** The exit code of a failure. */
  status: number;
}

/**
 * Starts what does not run yet, in the order given, each once the one before is
 * up. What depends on one that failed is not started. Tells of each.
 */
export async function startAll(
  daemons: readonly Managed[],
): Promise<Started[]> {
  const done: Started[] = [];
  for (const daemon of daemons) {
    const failed = done.find(
      ({ outcome, daemon: { name } }) =>
        outcome === 'failed' && daemon.dependsOn.includes(name),
    );
    const pause = done.some(({ outcome }) => outcome === 'started');
    done.push(failed ? giveUp(daemon, failed) : await start(daemon, pause));
  }
  return done;
}

async function start(daemon: Managed, pause: boolean): Promise<Started> {
  const { name, pidfile, delay } = daemon;
  try {
    const launch = launchOf(daemon);
    if (isRunning(daemon)) return { daemon, outcome: 'running', status: 0 };
    if (pause && delay > 0) await setTimeout(delay);
    const status = await run(launch);
    if (status !== 0) {
      // Somebody else was faster, it may be.
      if (isRunning(daemon)) return { daemon, outcome: 'running', status: 0 };
      throw new Failure('not started', status);
    }
    const { pid } = statusOf(pidfile);
    const what =
      pid === undefined
        ? `started, and has ended: \`posix-daemonize logs ${name}\` may tell why`
        : `started with pid ${pid}`;
    print(`${name}: ${what}`);
    return { daemon, outcome: 'started', status };
  } catch (error) {
    return fail(daemon, error);
  }
}

function giveUp(daemon: Managed, { daemon: needed, status }: Started): Started {
  const reason = `not started, for it depends on ${needed.name}`;
  return fail(daemon, new Failure(reason, status));
}

function fail(daemon: Managed, error: unknown): Started {
  const { message, status, hint } = asFailure(error);
  complain(new Failure(`${daemon.name}: ${message}`, status, hint));
  return { daemon, outcome: 'failed', status };
}

function isRunning({ name, pidfile }: Managed): boolean {
  const { state, pid } = statusOf(pidfile);
  if (state !== 'running') return false;
  print(`${name}: already running with pid ${pid}`);
  return true;
}

/** @throws {Failure} only the PID file is known */
export function launchOf({ name, launch }: Managed): Launch {
  if (launch) return launch;
  throw new Failure(
    `it is not known how to start '${name}'`,
    exitCodes.notConfigured,
    'describe it in daemons.json, or start it by `posix-daemonize run --name`',
  );
}

/**
 * Calls `run`, which says on standard error what went wrong.
 * What is to end this process ends that one first, which has begun a daemon.
 * @param options `dryRun`: only find out whether it could work
 * @returns its exit code
 */
export async function run(
  { args, cwd }: Launch,
  { dryRun = false } = {},
): Promise<number> {
  if (!existsSync(cwd)) {
    const { generic } = exitCodes;
    const hint = 'paths count from there: make it, or start it anew by `run`';
    throw new Failure(`the directory '${cwd}' is not there`, generic, hint);
  }
  // This very file: all commands are in one.
  const child = spawn(
    process.execPath,
    [__filename, 'run', ...(dryRun ? ['--dry-run'] : []), ...args],
    {
      cwd,
      stdio: ['ignore', dryRun ? 'ignore' : 'inherit', 'inherit'],
    },
  );
  const asked = listenFor(ending, (name) => child.kill(name));
  const [code, signal] = (await once(child, 'exit')) as [
    number | null,
    NodeJS.Signals | null,
  ];
  asked.end();
  if (asked.first) dieBy(asked.first);
  return code ?? bySignal + constants.signals[signal!];
}
