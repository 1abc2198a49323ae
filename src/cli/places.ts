/** Where a daemon's files are that has nothing but a name. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './failure';

export interface Places {
  pidfile: string;
  /** Of a command with a supervisor, which has the other. */
  childPidfile: string;
  log: string;
}

/**
 * The PID file and the log of a name: /run/NAME.pid and /var/log/NAME.log for
 * root; for others in the places that the XDG Base Directory Specification has.
 * Without XDG_RUNTIME_DIR, as under cron, the PID file is beside the log.
 * @throws {UsageError} the name leads elsewhere
 */
export function placesOf(name: string): Places {
  assertName(name);
  if (process.geteuid!() === 0) {
    return { ...pidfilesOf('/run', name), log: `/var/log/${name}.log` };
  }
  const { XDG_RUNTIME_DIR, XDG_STATE_HOME } = process.env;
  const state = join(
    absolute(XDG_STATE_HOME) ?? join(homedir(), '.local/state'),
    name,
  );
  return {
    ...pidfilesOf(absolute(XDG_RUNTIME_DIR) ?? state, name),
    log: join(state, `${name}.log`),
  };
}

function pidfilesOf(folder: string, name: string): Omit<Places, 'log'> {
  return {
    pidfile: join(folder, `${name}.pid`),
    childPidfile: join(folder, `${name}.child.pid`),
  };
}

/** The specification has a relative one ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

export const isName = (name: string): boolean =>
  /^[\w@%+:,][\w@%+:,.-]{0,99}$/.test(name);

/** A name becomes part of paths, of log lines, and an argument. */
export function assertName(name: string): void {
  if (isName(name)) return;
  throw new UsageError(
    `'${name}' cannot be the name of a daemon`,
    'a name has letters, digits and _ @ % + : , . - in it, 100 at most, and begins with none of the last two',
  );
}
