/** What `run` is about to do, all of it checked. */
import { fstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { listInherited } from '../../posix/descriptors';
import { lookUpPrivileges } from '../../privileges';
import { readOptions, type Settings } from '../../settings';
import { detectSurroundings } from '../../surroundings';
import { exitCodes } from '../exit-codes';
import { Failure, UsageError } from '../failure';
import { type Command, findCommand, findStranded, usualPath } from './command';
import { lineBuffered } from './line-buffered';
import { childPidfileOf, daemonizeOptions, type Flags } from './options';
import { type RespawnPlan, respawnPlan } from './respawn-options';
import type { Ready } from './values';

export interface Plan {
  settings: Settings;
  command: Command;
  /** From the root directory that the launching process has, to be made executable. */
  chmod: string | undefined;
  /** Set after the environment was cleaned. */
  variables: Readonly<Record<string, string>>;
  ready: Ready;
  /** In ms. */
  readyTimeout: number;
  log: { ident: string; facility: string };
  /** Users whose word counts that it is ready. */
  uids: readonly number[];
  /** Present where a supervisor stays. */
  respawn: RespawnPlan | undefined;
  /** Things to think about, none of them an error. */
  warnings: string[];
}

/**
 * @throws {Failure} | {TypeError} | {RangeError} it cannot be done; nothing has
 *   been
 */
export function makePlan(flags: Flags, [name = '', ...args]: string[]): Plan {
  const options = daemonizeOptions(flags);
  const settings = readOptions(options, detectSurroundings());
  assertTargets(settings);
  const here = process.cwd();
  const { chroot, cwd } = settings;
  const file = findCommand(name, {
    chroot,
    cwd: chroot === undefined ? here : cwd,
    path: flags.setEnv?.PATH ?? process.env.PATH ?? usualPath,
    chmod: flags.chmod ?? false,
  });
  const ready = flags.ready;
  const plan: Plan = {
    settings: { ...settings, preserveFds: keptFds(settings, ready) },
    command: { file, argv: [flags.title ?? name, ...args] },
    chmod: flags.chmod && (chroot ?? '') + file,
    variables: variablesOf(flags, chroot),
    ready,
    readyTimeout: flags.readyTimeout,
    uids: [0, process.geteuid!(), ...userOf(settings)],
    log: {
      ident: identOf(flags, name),
      facility: flags.syslogFacility ?? 'daemon',
    },
    respawn: respawnPlan(flags, settings, childPidfileOf(flags)),
    warnings:
      chroot === undefined
        ? findStranded(args, here, cwd).map(
            (argument) =>
              `'${argument}' is a file here, but not in '${cwd}', where the command will be: give its whole path, or --cwd .`,
          )
        : [],
  };
  assertLogger(plan);
  return plan;
}

function userOf({ privileges }: Settings): number[] {
  const { uid } = lookUpPrivileges(privileges) ?? {};
  return uid === undefined ? [] : [uid];
}

function identOf({ name, syslog, title }: Flags, command: string): string {
  if (typeof syslog === 'string') return syslog;
  return name ?? title ?? command.slice(command.lastIndexOf('/') + 1);
}

/** Those that are asked for, and a supervisor's for news of readiness. */
function keptFds({ preserveFds, detach }: Settings, ready: Ready): number[] {
  for (const fd of preserveFds) assertOpen(fd, '--preserve-fds');
  if (ready.by !== 'fd') return [...preserveFds];
  if (detach && preserveFds.includes(ready.fd)) {
    const both = `--ready fd:${ready.fd} and --preserve-fds ${ready.fd}`;
    throw new UsageError(`${both} want the same descriptor`);
  }
  const passed = !detach && listInherited().includes(ready.fd);
  return passed ? [...preserveFds, ready.fd] : [...preserveFds];
}

/** 0, 1 and 2 may be closed: the kernel's word is enough there. */
function assertTargets({ targets }: Settings): void {
  for (const [fd, flag] of ['--stdin', '--stdout', '--stderr'].entries()) {
    const target = targets[fd];
    if (typeof target === 'number' && target > 2) assertOpen(target, flag);
  }
}

function assertOpen(fd: number, flag: string): void {
  try {
    fstatSync(fd);
  } catch {
    const message = `${flag}: descriptor ${fd} is not open`;
    throw new UsageError(message, `open it in the shell, as ${fd}<FILE does`);
  }
}

function variablesOf(
  flags: Flags,
  chroot: string | undefined,
): Record<string, string> {
  const { setEnv = {}, lineBuffered: buffered, env } = flags;
  if (!buffered) return setEnv;
  const { LD_PRELOAD: present } = process.env;
  const kept = env === undefined || env.includes('LD_PRELOAD');
  const before = setEnv.LD_PRELOAD ?? (kept ? present : undefined);
  return { ...setEnv, ...lineBuffered(before, resolve(chroot ?? '/')) };
}

/** What reads the lines for the system log, once nothing of us is left. */
export function findLogger(): string {
  const path = `${process.env.PATH ?? ''}:${usualPath}`;
  return findCommand('logger', {
    chroot: undefined,
    cwd: '/',
    path,
    chmod: false,
  });
}

function assertLogger({ settings }: Plan): void {
  if (!settings.targets.includes('syslog')) return;
  try {
    findLogger();
  } catch {
    throw new Failure(
      "there is no logger(1), which brings a command's output to the system log",
      exitCodes.notInstalled,
      'install bsdutils (Debian), util-linux or busybox, or give --stdout FILE',
    );
  }
}
