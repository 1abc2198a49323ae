/** What `Pidfile.open` can be told, checked and completed. */
import { invalidArgValue } from './errors';
import { type Owner, writableByOthers } from './safe-file';
import {
  validateBoolean,
  validateInteger,
  validateOptions,
  validateString,
} from './validate';

/** One below the uid_t that means none. */
const maxId = 2 ** 32 - 2;

/** Options of `Pidfile.open`. */
export interface PidfileOptions {
  /** Of the file, whatever the umask. Default: `0o644`. */
  mode?: number;
  /** Make the directories that are missing, with mode 0755. Default: `false`. */
  mkdir?: boolean;
  /**
   * The user that the daemon will run as. Directories made by `mkdir` are given
   * to it, so that it can remove the file; and a file that it left there is taken
   * over. The file itself stays with the calling process's user: the daemon has
   * it open, and who owns it could choose the pid in it. Default: that user.
   */
  owner?: Owner;
}

/** Options of `Pidfile.write`. */
export interface PidfileWriteOptions {
  /**
   * `false` for a process that this one becomes by `execvp()`, or starts, and
   * that knows nothing of the lock, which ends with `close()` or the execution:
   * from then on the file is held as long as the process with this pid, start
   * time and boot lives. Default: `true`.
   */
  lock?: boolean;
}

/** @internal */
export function validatePidfilePath(path: unknown): asserts path is string {
  validateString(path, 'path');
  if (path === '') throw invalidArgValue('path', path, 'must not be empty');
}

/** Checks options and fills in the defaults. @internal */
export function readPidfileOptions(options: PidfileOptions) {
  validateOptions(options, 'options', ['mode', 'mkdir', 'owner']);
  const { mode = 0o644, mkdir = false, owner } = options;
  validateInteger(mode, 'options.mode', 0, 0o777);
  if (mode & writableByOthers) {
    const reason = 'must not let group or others write';
    throw invalidArgValue('options.mode', mode, reason);
  }
  validateBoolean(mkdir, 'options.mkdir');
  if (owner !== undefined) {
    validateOptions(owner, 'options.owner', ['uid', 'gid']);
    validateInteger(owner.uid, 'options.owner.uid', 0, maxId);
    validateInteger(owner.gid, 'options.owner.gid', 0, maxId);
  }
  return { mode, mkdir, owner };
}
