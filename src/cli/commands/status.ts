import type { Command } from 'commander';
import { addCommand, jsonOption, pidfileOption } from './options';

export function addStatus(program: Command): void {
  addCommand(
    program,
    'status',
    'show how daemons are; exits with 0 if all run, 1 if one is dead and left its PID file, 3 if one does not run, 4 if it is not known',
  )
    .addOption(pidfileOption())
    .addOption(jsonOption())
    .action((names: string[], flags: object) => {
      const { status } =
        require('../actions/status') as typeof import('../actions/status');
      return status(names, flags);
    });
}
