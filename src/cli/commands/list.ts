import { type Command, Option } from 'commander';
import { addCommand, jsonOption } from './options';

export function addList(program: Command): void {
  addCommand(
    program,
    'list',
    'show all daemons',
    'Show the daemons that a file describes, and those that `run --name` has started.',
    ['', '--json'],
  )
    .alias('ls')
    .addOption(jsonOption())
    .addOption(
      new Option('--names', 'print nothing but the names').conflicts('json'),
    )
    .action((names: string[], flags: object) => {
      const { list } =
        require('../actions/list') as typeof import('../actions/list');
      return list(names, flags);
    });
}
