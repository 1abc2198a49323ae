/** What commands on described daemons have in common. */
import { type Command, Option } from 'commander';
import { path } from '../run/values';

/**
 * Adds a command that takes names of daemons, and where they are described.
 * @param examples what may follow its name
 */
export function addCommand(
  program: Command,
  name: string,
  summary: string,
  description: string,
  examples: readonly string[],
): Command {
  return program
    .command(`${name} [name...]`)
    .summary(summary)
    .description(description)
    .addOption(
      new Option(
        '--file <file>',
        'the file that describes them (default: daemons.json here, or the one in /etc/posix-daemonize)',
      ).argParser(path),
    )
    .addHelpText(
      'after',
      [
        '\nExamples:',
        ...examples.map((words) => `  posix-daemonize ${name} ${words}`),
      ]
        .map((line) => line.trimEnd())
        .join('\n'),
    );
}

/** For a daemon that nothing describes. */
export function pidfileOption(): Option {
  const text = 'the daemon that holds this PID file, instead of names';
  return new Option('--pidfile <file>', text).argParser(path).conflicts('file');
}

/** Where a start of what runs, and a stop of what does not, is a success. */
export function lsbOption(): Option {
  const text = 'exit with 0 if there is nothing to do, as LSB has it';
  return new Option('--lsb', text);
}

export const jsonOption = (): Option =>
  new Option('--json', 'print JSON, for programs');
