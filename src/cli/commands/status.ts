import type { Command } from 'commander';
import { statusCodes } from '../exit-codes';
import { addCommand, jsonOption, pidfileOption } from './options';

export function addStatus(program: Command): void {
  addCommand(
    program,
    'status',
    'tell whether daemons run',
    'Show how daemons are. Exits with 0 if all run, 1 if one is dead and has left its PID file, 3 if one does not run, 4 if it is not known, as with wrong usage; of several with the largest.',
    ['', 'web --json'],
  )
    .exitOverride((error) => {
      // 2 would say that it is dead and has left a lock file.
      if (error.exitCode !== 0) error.exitCode = statusCodes.unknown;
      throw error;
    })
    .addOption(pidfileOption())
    .addOption(jsonOption())
    .action((names: string[], flags: object) => {
      const { status } =
        require('../actions/status') as typeof import('../actions/status');
      return status(names, flags);
    });
}
