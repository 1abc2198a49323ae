/** A daemon of a file as `run` is told of it. */
import { resolve } from 'node:path';
import type { Definition } from './definition';
import type { Managed, Supervisor } from './managed';

type Flags = Record<string, string | number | boolean | undefined>;

/** @returns what follows `run` */
export function runArguments(
  definition: Definition,
  {
    name,
    pidfile,
    outputs: [stdout, stderr],
    supervisor,
  }: Omit<Managed, 'launch'>,
  folder: string,
): string[] {
  const { cwd = '.', env = {} } = definition;
  const flags: Flags = {
    name,
    // Another file may have a daemon of this name, with a PID file of its own.
    'no-register': definition.pidfile !== undefined,
    // What is not said is where `run` has it for the name, and makes folders for.
    pidfile: definition.pidfile && pidfile,
    stdout: (definition.log ?? definition.stdout) && stdout,
    stderr: definition.stderr && stderr,
    cwd: resolve(folder, cwd),
    user: definition.user,
    group: definition.group,
    umask: definition.umask,
    chmod: definition.chmod,
    'line-buffered': definition.lineBuffered,
    ready: definition.ready,
    'ready-timeout': ms(definition.readyTimeout),
    ...respawnFlags(definition, supervisor),
    // Whoever starts it, be it an init system: it is a daemon afterwards.
    detach: true,
  };
  return [
    ...Object.entries(flags).flatMap(([flag, value]) => {
      if (value === undefined || value === false) return [];
      return value === true ? [`--${flag}`] : [`--${flag}=${value}`];
    }),
    ...Object.entries(env).map(([key, value]) => `--set-env=${key}=${value}`),
    '--',
    ...commandWords(definition, folder),
  ];
}

function respawnFlags(
  definition: Definition,
  supervisor: Supervisor | undefined,
): Flags {
  const { respawn, stopSignal, killTimeout } = definition;
  if (!supervisor) return {};
  const { limit, ...options } = typeof respawn === 'object' ? respawn : {};
  return {
    respawn: options.when ?? true,
    'respawn-delay': ms(options.delay),
    'respawn-max-delay': ms(options.maxDelay),
    'respawn-reset': ms(options.resetAfter),
    'respawn-limit': limit && `${limit.restarts}/${limit.seconds}`,
    'no-respawn-codes': options.finalCodes?.join(','),
    'stop-signal': stopSignal,
    'kill-timeout': ms(killTimeout),
    orphan: options.orphan,
    'child-pidfile': supervisor.childPidfile,
  };
}

const ms = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : `${time}ms`;

function commandWords(
  { command, shell }: Definition,
  folder: string,
): string[] {
  if (shell && typeof command === 'string') return ['/bin/sh', '-c', command];
  const [file = '', ...args] =
    typeof command === 'string' ? command.trim().split(/\s+/) : command;
  return [file.includes('/') ? resolve(folder, file) : file, ...args];
}
