import { type Command, Option } from 'commander';
import { duration } from '../run/values';
import { addCommand, pidfileOption } from './options';

export function addReload(program: Command): void {
  addCommand(
    program,
    'reload',
    'have daemons read their configuration anew',
    'Send SIGHUP to daemons, and wait until they are ready again.',
    ['web'],
  )
    .addOption(pidfileOption())
    .addOption(
      new Option(
        '--timeout <time>',
        'how long to wait (default: 60s)',
      ).argParser(duration),
    )
    .action((names: string[], flags: object) => {
      const { reload } =
        require('../actions/reload') as typeof import('../actions/reload');
      return reload(names, flags);
    });
}
