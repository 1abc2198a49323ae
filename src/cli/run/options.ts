/** The options of `run`: those of `daemonize` in kebab-case, and its own. */
import { type Command, Option } from 'commander';
import { facilities, type Facility } from '../../constants';
import type { DaemonizeOptions, Target } from '../../options';
import { placesOf } from '../places';
import { type RespawnFlags, respawnOptions } from './respawn-options';
import {
  assignment,
  descriptors,
  duration,
  list,
  names,
  octal,
  path,
  type Ready,
  ready,
  target,
} from './values';

/** As systemd gives it to its services: a program seldom sets its own. */
const usualUmask = 0o022;

/** What commander makes of the flags. */
export interface Flags extends RespawnFlags {
  name?: string;
  register: boolean;
  pidfile?: string;
  stdin?: string | number;
  stdout?: string | number;
  stderr?: string | number;
  syslog?: string | true;
  syslogFacility?: Facility;
  umask: number;
  cwd: string;
  chroot?: string;
  env?: string[];
  setEnv?: Record<string, string>;
  preserveFds?: number[];
  closeFds: 'inherited' | 'none';
  title?: string;
  chmod?: true;
  lineBuffered?: true;
  sighup: 'default' | 'ignore';
  user?: string;
  group?: string;
  groups?: string[];
  initgroups: boolean;
  coreDumps: boolean;
  ready: Ready;
  readyTimeout: number;
  foreground?: true;
  detach?: true;
  lsb?: true;
  dryRun?: true;
}

const option = (group: string, flags: string, text: string): Option =>
  new Option(flags, text).helpGroup(`${group}:`);

export function addOptions(command: Command): void {
  const all = [
    option(
      'Files',
      '--name <name>',
      'give default places to PID file and log (see below)',
    ),
    option(
      'Files',
      '--no-register',
      'let no other command find it by that name',
    ),
    option(
      'Files',
      '--pidfile <file>',
      'file that tells the pid; one daemon at a time',
    ).argParser(path),
    option(
      'Files',
      '--stdin <file>',
      "what it reads: a file, a descriptor, 'null' or 'inherit' (default: null)",
    ).argParser(target),
    option(
      'Files',
      '--stdout <file>',
      "where it writes: also 'syslog' (default: the log of --name, or null)",
    ).argParser(target),
    option(
      'Files',
      '--stderr <file>',
      'where its errors go; 1 is where --stdout goes (default: as --stdout)',
    ).argParser(target),
    option(
      'Files',
      '--syslog [ident]',
      'send both to the system log, by logger(1), under that name',
    ),
    option(
      'Files',
      '--syslog-facility <facility>',
      'what kind of program it is there (default: daemon)',
    ).choices(Object.keys(facilities)),

    option('Process', '--umask <mode>', 'file mode creation mask, octal')
      .argParser(octal)
      .default(usualUmask, '022'),
    option('Process', '--cwd <directory>', 'working directory')
      .argParser(path)
      .default('/', '/'),
    option('Process', '--chroot <directory>', 'root directory').argParser(path),
    option(
      'Process',
      '--env <names>',
      'keep only these variables, NAME,NAME (default: all)',
    ).argParser(names),
    option(
      'Process',
      '--set-env <name=value>',
      'set a variable; may be given again',
    ).argParser(assignment),
    option(
      'Process',
      '--preserve-fds <fds>',
      'inherited descriptors to keep, N,N',
    ).argParser(descriptors),
    option('Process', '--close-fds <which>', 'which others to close')
      .choices(['inherited', 'none'])
      .default('inherited', 'inherited'),
    option(
      'Process',
      '--title <title>',
      'its argument 0, as ps shows it (default: the command)',
    ),
    option('Process', '--chmod', "make the command's file executable first"),
    option(
      'Process',
      '--line-buffered',
      'have output written by lines: Python, and programs that use stdio',
    ),
    option('Process', '--sighup <action>', 'what SIGHUP does')
      .choices(['default', 'ignore'])
      .default('default', 'default'),

    option('Privileges', '--user <user>', 'become that user, by name or uid'),
    option(
      'Privileges',
      '--group <group>',
      'become that group (default: the one of the user)',
    ),
    option(
      'Privileges',
      '--groups <groups>',
      'exactly these other groups, GROUP,GROUP',
    ).argParser(list),
    option(
      'Privileges',
      '--no-initgroups',
      'no other groups, not even those that the user is in',
    ),
    option('Privileges', '--no-core-dumps', 'set RLIMIT_CORE to 0'),

    option(
      'Start',
      '--ready <event>',
      "when the start has succeeded: 'exec', 'notify' or 'fd:N' (see below)",
    )
      .argParser(ready)
      .default({ by: 'exec' }, 'exec'),
    option(
      'Start',
      '--ready-timeout <time>',
      'how long that may take, as 500ms, 30s, 2m, 1h or infinity',
    )
      .argParser(duration)
      .default(60_000, '60s'),
    option(
      'Start',
      '--foreground',
      'stay in this process: for use under a supervisor',
    ).conflicts('detach'),
    option(
      'Start',
      '--detach',
      'leave even when started by systemd, inetd, a container or a supervisor',
    ),
    option('Start', '--lsb', 'exit with 0 if it is running already'),
    option(
      'Start',
      '--dry-run',
      'tell what would be done, and whether it could be; do nothing',
    ),
    ...respawnOptions(),
  ];
  for (const one of all) command.addOption(one);
}

/** The options of `daemonize` that the flags mean. */
export function daemonizeOptions(flags: Flags): DaemonizeOptions {
  const { user, group, groups, chroot, env, preserveFds, initgroups } = flags;
  return {
    umask: flags.umask,
    cwd: flags.cwd,
    closeFds: flags.closeFds,
    coreDumps: flags.coreDumps,
    sighup: flags.sighup,
    detach: detachOf(flags),
    ...outputs(flags),
    ...(flags.stdin !== undefined && { stdin: flags.stdin }),
    ...(chroot !== undefined && { chroot }),
    ...(env && { env }),
    ...(preserveFds && { preserveFds }),
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    ...(groups && { groups }),
    ...(!initgroups && { initgroups }),
  };
}

/** The PID file of a supervised command. */
export function childPidfileOf(flags: Flags): string | undefined {
  const { name, childPidfile } = flags;
  if (childPidfile !== undefined || name === undefined) return childPidfile;
  return placesOf(name).childPidfile;
}

function detachOf({ foreground, detach }: Flags): boolean | 'auto' {
  if (foreground) return false;
  return detach ?? 'auto';
}

/** Where a pid and output go: what is said, else where the name has it. */
function outputs(flags: Flags): DaemonizeOptions {
  const { name, syslog } = flags;
  const places = name === undefined ? undefined : placesOf(name);
  const log: Target | undefined =
    syslog !== undefined
      ? 'syslog'
      : places && { path: places.log, mkdir: true };
  const pidfile =
    flags.pidfile ?? (places && { path: places.pidfile, mkdir: true });
  const stdout = flags.stdout ?? log;
  const stderr = flags.stderr ?? stdout;
  return {
    ...(pidfile !== undefined && { pidfile }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
  };
}
