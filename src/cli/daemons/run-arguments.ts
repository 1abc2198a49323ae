/** A daemon of a file as `run` is told of it. */
import { resolve } from 'node:path';
import type { Definition } from './definition';
import type { Managed } from './managed';

/** @returns what follows `run` */
export function runArguments(
  definition: Definition,
  { name, pidfile, outputs: [stdout, stderr] }: Omit<Managed, 'launch'>,
  folder: string,
): string[] {
  const { cwd = '.', env = {}, readyTimeout } = definition;
  const flags: Record<string, string | number | boolean | undefined> = {
    name,
    pidfile,
    stdout,
    stderr: stderr === stdout ? undefined : stderr,
    cwd: resolve(folder, cwd),
    user: definition.user,
    group: definition.group,
    umask: definition.umask,
    chmod: definition.chmod,
    'line-buffered': definition.lineBuffered,
    ready: definition.ready,
    'ready-timeout':
      readyTimeout === undefined ? undefined : `${readyTimeout}ms`,
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

function commandWords(
  { command, shell }: Definition,
  folder: string,
): string[] {
  if (shell && typeof command === 'string') return ['/bin/sh', '-c', command];
  const [file = '', ...args] =
    typeof command === 'string' ? command.trim().split(/\s+/) : command;
  return [file.includes('/') ? resolve(folder, file) : file, ...args];
}
