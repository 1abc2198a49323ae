/** The commands, and what all of them have in common. */
import { Command } from 'commander';
import { addCompletion } from './commands/completion';
import { addHelp } from './commands/help';
import { addList } from './commands/list';
import { addLogs } from './commands/logs';
import { addReload } from './commands/reload';
import { addRestart } from './commands/restart';
import { addRun } from './commands/run';
import { addStart } from './commands/start';
import { addStatus } from './commands/status';
import { addStop } from './commands/stop';
import { hasColours, paint, write } from './terminal';

// By its name: the same from lib/ and from src/.
const { version } = require('posix-daemonize/package.json') as {
  version: string;
};

export const program = new Command('posix-daemonize')
  .description('Run commands as daemons, and daemons that a file describes.')
  .version(version, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print what can be given here')
  .helpCommand(false)
  // What follows a command's name belongs to that command.
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({
    writeOut: (text) => write(1, text),
    writeErr: (text) => write(2, text),
    getOutHasColors: () => hasColours(1),
    getErrHasColors: () => hasColours(2),
    outputError: (text, emit) => {
      const name = paint(2, 'red', 'posix-daemonize:');
      emit(`${name} ${text.replace(/^error: /, '')}`);
    },
  })
  .configureHelp({
    styleTitle: (title) => `\x1b[1m${title}\x1b[22m`,
  })
  .addHelpText(
    'after',
    '\nposix-daemonize COMMAND --help tells of each; posix-daemonize(1) of all.',
  );

addRun(program);
addStart(program);
addStop(program);
addRestart(program);
addReload(program);
addStatus(program);
addList(program);
addLogs(program);
addCompletion(program);
addHelp(program);
