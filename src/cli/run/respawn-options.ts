/** The options of `run --respawn`. */
import { Option, InvalidArgumentError } from 'commander';
import type { Signal } from '../../constants';
import type { Settings } from '../../settings';
import { defaults, type SupervisorOptions } from '../../supervisor/options';
import { stateFileOf } from '../../supervisor/state';
import { UsageError } from '../failure';
import { duration, list, path, signal } from './values';

/** What commander makes of the flags. */
export interface RespawnFlags {
  respawn?: 'always' | 'on-failure' | true;
  respawnDelay?: number;
  respawnMaxDelay?: number;
  respawnReset?: number;
  respawnLimit?: { restarts: number; window: number };
  /** true: commander's word for its absence. */
  respawnCodes?: number[] | true;
  stopSignal?: Signal;
  killTimeout?: number;
  orphan?: 'stop' | 'keep';
  childPidfile?: string;
}

export interface RespawnPlan {
  /** What a supervisor is told, but for the command itself. */
  policy: Omit<SupervisorOptions, 'file' | 'argv' | 'childPidfile'>;
  childPidfile: string | undefined;
}

const option = (flags: string, text: string): Option =>
  new Option(flags, text).helpGroup('Respawn:');

export function respawnOptions(): Option[] {
  return [
    option(
      '--respawn [when]',
      "stay, and start the command again when it ends: 'always' (default) or 'on-failure'",
    ).choices(['always', 'on-failure']),
    option(
      '--respawn-delay <time>',
      'time before the first restart; each time twice as long (default: 100ms)',
    ).argParser(duration),
    option(
      '--respawn-max-delay <time>',
      'but never longer than this (default: 30s)',
    ).argParser(duration),
    option(
      '--respawn-reset <time>',
      'how long it has to be up for the delays to begin anew (default: 10s)',
    ).argParser(duration),
    option(
      '--respawn-limit <n/seconds>',
      'give up after N restarts in so many seconds (default: never)',
    ).argParser(limit),
    option(
      '--no-respawn-codes <codes>',
      'exit statuses after which it is not started again, N,N',
    ).argParser(codes),
    option(
      '--stop-signal <signal>',
      'what the command gets when it is to end (default: SIGTERM)',
    ).argParser(signal),
    option(
      '--kill-timeout <time>',
      'how long that may take before SIGKILL, or infinity (default: 10s)',
    ).argParser(duration),
    option(
      '--orphan <fate>',
      "what the kernel does with it if the supervisor is killed: 'stop' (default) or 'keep'",
    ).choices(['stop', 'keep']),
    option(
      '--child-pidfile <file>',
      "file that tells the command's pid (default with --name: NAME.child.pid)",
    ).argParser(path),
  ];
}

function limit(text: string): { restarts: number; window: number } {
  const [, restarts, seconds] =
    /^([1-9]\d{0,5})\/([1-9]\d{0,6})$/.exec(text) ?? [];
  if (restarts === undefined)
    throw new InvalidArgumentError('It must be N/SECONDS, as 5/60 is.');
  return { restarts: Number(restarts), window: Number(seconds) * 1000 };
}

function codes(text: string): number[] {
  return list(text).map((item) => {
    if (/^\d{1,3}$/.test(item) && Number(item) < 256) return Number(item);
    throw new InvalidArgumentError('It must be exit statuses, as 0,2,64 is.');
  });
}

/**
 * @returns undefined where nothing is supervised
 * @throws {UsageError} an option that means nothing without another
 */
export function respawnPlan(
  flags: RespawnFlags,
  { pidfile, chroot }: Settings,
  childPidfile: string | undefined,
): RespawnPlan | undefined {
  if (flags.respawn === undefined) {
    assertNothingElse(flags);
    return undefined;
  }
  const orphan = flags.orphan ?? defaults.orphan;
  if (orphan === 'keep' && childPidfile === undefined) {
    throw new UsageError(
      '--orphan keep needs --child-pidfile',
      'by that file the next start finds the command that was kept; --name gives one',
    );
  }
  const policy = {
    restart: restartOf(flags),
    stopSignal: flags.stopSignal ?? defaults.stopSignal,
    killTimeout: flags.killTimeout ?? defaults.killTimeout,
    orphan,
    // A new root would lead to another place.
    ...(pidfile && !chroot && { stateFile: stateFileOf(pidfile.path) }),
  };
  return { policy, childPidfile };
}

function restartOf(flags: RespawnFlags): SupervisorOptions['restart'] {
  const { respawn, respawnCodes } = flags;
  return {
    when: respawn === 'on-failure' ? respawn : defaults.when,
    delay: flags.respawnDelay ?? defaults.delay,
    maxDelay: flags.respawnMaxDelay ?? defaults.maxDelay,
    resetAfter: flags.respawnReset ?? defaults.resetAfter,
    limit: flags.respawnLimit,
    finalCodes: Array.isArray(respawnCodes) ? respawnCodes : [],
  };
}

function assertNothingElse(flags: RespawnFlags): void {
  const others = {
    '--respawn-delay': flags.respawnDelay,
    '--respawn-max-delay': flags.respawnMaxDelay,
    '--respawn-reset': flags.respawnReset,
    '--respawn-limit': flags.respawnLimit,
    '--no-respawn-codes': Array.isArray(flags.respawnCodes) || undefined,
    '--stop-signal': flags.stopSignal,
    '--kill-timeout': flags.killTimeout,
    '--orphan': flags.orphan,
    '--child-pidfile': flags.childPidfile,
  };
  for (const [flag, value] of Object.entries(others))
    if (value !== undefined) throw new UsageError(`${flag} needs --respawn`);
}
