/** `posix-daemonize help`, as git and npm have it. */
import { Argument, type Command } from 'commander';

/** To be called last: it knows the commands that are there. */
export function addHelp(program: Command): void {
  const names = program.commands.map((command) => command.name());
  program
    .command('help')
    .summary('print what can be given to a command')
    .description('Print what --help prints: of all, or of a command.')
    .addArgument(new Argument('[topic]', 'which command').choices(names))
    .action((topic?: string) => {
      const asked = program.commands.find((each) => each.name() === topic);
      (asked ?? program).outputHelp();
    });
}
