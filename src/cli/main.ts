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
    else process.exitCode = error.exitCode === 0 ? 0 : exitCodes.arguments;
  })
  .finally(checkOutput);
