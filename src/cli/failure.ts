/** What a command says when it cannot do what it was told. */
import { exitCodeOf, exitCodes } from './exit-codes';

/** An error that is meant for a human, with the exit code that it comes to. */
export class Failure extends Error {
  readonly status: number;
  /** What to do about it, a sentence of its own. */
  readonly hint: string | undefined;

  constructor(message: string, status: number, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}
Failure.prototype.name = 'Failure';

/** Wrong usage. */
export class UsageError extends Failure {
  constructor(message: string, hint?: string) {
    super(message, exitCodes.arguments, hint);
  }
}
UsageError.prototype.name = 'UsageError';

const hints: Readonly<Record<string, string>> = {
  EACCES: 'run it as a user who may, or choose another place',
  EPERM: 'run it as root, or leave out what needs it',
  EROFS: 'choose another place',
  ENOSPC: 'make room on that disk',
  ENOENT: 'it, or a folder above it, is missing: make it first',
  EMFILE: 'raise the limit on open files (ulimit -n)',
  ERR_DAEMON_STOP_TIMEOUT:
    '--kill-timeout kills it after that time; --timeout waits longer',
  EAGAIN: 'too many processes of this user, or memory is short (ulimit -u)',
};

/** Any error, as a failure: where it comes from an option, by the flag's name. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return new Failure(String(error), 1);
  const { code = '' } = error as NodeJS.ErrnoException;
  return new Failure(nameFlags(error.message), exitCodeOf(error), hints[code]);
}

/** `The property 'options.preserveFds[0]'` is `--preserve-fds` here. */
function nameFlags(message: string): string {
  return message.replace(
    /(?:The (?:property |argument |value of )?)?(["'])options\.(\w+)[\w.[\]]*\1(?: property| argument)?/g,
    (_, __, name: string) => flagOf(name),
  );
}

/** The flag of an option of `daemonize`: in kebab-case. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
