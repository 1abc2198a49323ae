import type { Command } from 'commander';
import { addCommand, lsbOption } from './options';

export function addStart(program: Command): void {
  addCommand(
    program,
    'start',
    'start daemons that a file describes',
    'Start the daemons that a file describes, all or those named, after those that they depend on. One that runs already is left alone.',
    ['', 'web --file /srv/daemons.json'],
  )
    .addOption(lsbOption())
    .action((names: string[], flags: object) => {
      const { start } =
        require('../actions/start') as typeof import('../actions/start');
      return start(names, flags);
    });
}
