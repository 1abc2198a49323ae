/** Why execve(2) has refused a file that is there. */
import { exitCodeOf, exitCodes } from '../exit-codes';
import { Failure } from '../failure';

const hints: Readonly<Record<string, string>> = {
  ENOENT:
    'what its first line (#!) or its ELF header names, or what a link leads to, is missing',
  EACCES: 'the user that it is to run as may not execute it, or not get there',
  ENOEXEC: 'it is a program for another machine, or no program',
  E2BIG: 'arguments and environment are too long together',
  ETXTBSY: 'somebody is writing to it',
};

export function explainExec(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const hint = hints[code];
  if (hint === undefined) return error;
  const status =
    code === 'ENOENT' || code === 'ENOEXEC'
      ? exitCodes.notInstalled
      : exitCodeOf(error);
  return new Failure(message, status, hint);
}
