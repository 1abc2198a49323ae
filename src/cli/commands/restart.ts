import type { Command } from 'commander';
import { addCommand, pidfileOption } from './options';
import { addStopOptions } from './stop';

export function addRestart(program: Command): void {
  const command = addCommand(
    program,
    'restart',
    'stop daemons and start them again; if they could not start as they are described now, they go on as they are',
  );
  addStopOptions(command)
    .addOption(pidfileOption())
    .action((names: string[], flags: object) => {
      const { restart } =
        require('../actions/restart') as typeof import('../actions/restart');
      return restart(names, flags);
    });
}
