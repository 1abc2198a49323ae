/** The command line: `posix-daemonize COMMAND`. */
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes';
import { checkOutput } from './output';
import { program } from './program';
import { complain } from './terminal';

program
  .parseAsync()
  .catch((error: unknown) => {
    if (!(error instanceof CommanderError)) process.exitCode = complain(error);
    // What there is to say, commander has said.
    else if (error.exitCode === 1) process.exitCode = exitCodes.arguments;
    else process.exitCode = error.exitCode;
  })
  .finally(checkOutput);
