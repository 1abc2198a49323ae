/** Processes above this one, as /proc shows them. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** One process; the numbers are those of the /proc that is mounted. */
export interface Ancestor {
  pid: number;
  ppid: number;
  /** Whether it leads its session, as programs do that daemons start. */
  leadsSession: boolean;
  /** Whether it has a controlling terminal. */
  terminal: boolean;
  /**
   * The first 15 bytes of its program's name, or of the title it gave itself;
   * for a script in Node.js or Python the name of the script's file.
   */
  name: string;
  /** Its arguments, the program first; of a script, its interpreter. */
  argv: readonly string[];
}

const interpreters = /^(node|nodejs|MainThread|node-MainThread|python[\d.]*)$/;
const shells = /^(sh|bash|dash|ash)$/;

/**
 * @returns undefined where there is no such process, or none that this one may
 *   see (`hidepid` of proc(5)), or no /proc
 */
export function readAncestor(pid: number | 'self'): Ancestor | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name may contain anything, parentheses and spaces too.
  const start = stat.indexOf('(');
  const end = stat.lastIndexOf(')');
  if (start === -1 || end === -1) return undefined;
  const [, ppid, , session, terminal] = stat.slice(end + 2).split(' ');
  const comm = stat.slice(start + 1, end);
  const own = Number(stat.slice(0, start));
  const argv = pid === 'self' ? [] : readArguments(own);
  return {
    pid: own,
    ppid: Number(ppid),
    leadsSession: Number(session) === own,
    terminal: terminal !== '0',
    name: interpreters.test(comm) ? scriptName(argv, comm) : comm,
    argv,
  };
}

/** Whether a process is a shell, at work on a script or on a terminal. */
export function isShell({ argv: [program = ''] }: Ancestor): boolean {
  return shells.test(basename(program));
}

const packageRunners =
  /^(npm( .*)?|npx|pnpm|pnpx|yarn|yarnpkg)(-cli)?(\.c?js)?$/;

/**
 * Whether a process does nothing but start one command, wait for it and end as
 * it did: `npm start`, `node --run`, or `sh -c` with a single command.
 */
export function isWaiting(ancestor: Ancestor): boolean {
  const { name, argv } = ancestor;
  if (packageRunners.test(name)) return true;
  const [, option, command = ''] = argv;
  if (isShell(ancestor))
    return (
      /^-[elux]*c$/.test(option ?? '') &&
      argv.length === 3 &&
      !/[;&|\n]/.test(command)
    );
  return interpreters.test(name) && option === '--run';
}

function scriptName(argv: readonly string[], comm: string): string {
  const [, script] = argv;
  if (script === undefined || script.startsWith('-')) return comm;
  // The script of `forever start` has a name that says nothing.
  return script.endsWith('/forever/bin/monitor') ? 'forever' : basename(script);
}

function readArguments(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // gone meanwhile, or not to be seen
  }
}
