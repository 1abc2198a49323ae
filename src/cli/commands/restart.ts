import type { Command } from 'commander';
import { addCommand, pidfileOption } from './options';
import { addStopOptions } from './stop';

export function addRestart(program: Command): void {
  const command = addCommand(
    program,
    'restart',
    'stop daemons and start them again',
    'Stop daemons and start them again. If one could not start as it is described now, nothing is stopped.',
    ['', 'web'],
  );
  addStopOptions(command)
    .addOption(pidfileOption())
    .action((names: string[], flags: object) => {
      const { restart } =
        require('../actions/restart') as typeof import('../actions/restart');
      return restart(names, flags);
    });
}
