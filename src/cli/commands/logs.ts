import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LogsFlags } from '../actions/logs';
import { addCommand } from './options';

export function addLogs(program: Command): void {
  addCommand(
    program,
    'logs',
    'show what daemons have logged',
    'Show the last lines that daemons have logged.',
    ['web -n 100', '-f'],
  )
    .addOption(
      new Option('-n, --lines <count>', 'how many, of each')
        .argParser(count)
        .default(10),
    )
    .option('-f, --follow', 'go on with what is added, across rotation')
    .action((names: string[], flags: object) => {
      const { logs } =
        require('../actions/logs') as typeof import('../actions/logs');
      return logs(names, flags as LogsFlags);
    });
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number.');
}
