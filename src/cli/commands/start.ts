import type { Command } from 'commander';
import { addCommand, lsbOption } from './options';

export function addStart(program: Command): void {
  addCommand(
    program,
    'start',
    'start the daemons that a file describes, all or those named, in the order of their dependencies',
  )
    .addOption(lsbOption())
    .action((names: string[], flags: object) => {
      const { start } =
        require('../actions/start') as typeof import('../actions/start');
      return start(names, flags);
    });
}
