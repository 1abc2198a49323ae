/** fish(1), by `complete`. */
import {
  type CompletedCommand,
  type CompletedOption,
  listNames,
  type Value,
} from './words';

const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** The arguments of `complete` for what a value may be. */
function values(value: Value): string {
  switch (value.kind) {
    case 'none':
    case 'text':
      return '-f';
    case 'words':
      return `-f -a ${quote(value.words.join(' '))}`;
    case 'file':
      return '-F';
    case 'directory':
      return `-f -a '(__fish_complete_directories)'`;
    case 'user':
      return `-f -a '(__fish_complete_users)'`;
    case 'group':
      return `-f -a '(__fish_complete_groups)'`;
    case 'daemon':
      return `-f -a '(${listNames})'`;
    case 'command':
      return `-F -a '(complete --do-complete=(commandline -ct))'`;
  }
}

function option(
  condition: string,
  { flags, text, value, optional }: CompletedOption,
): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const takes = value.kind === 'none' || optional ? '' : ` -r ${values(value)}`;
  return `complete -c posix-daemonize -n ${quote(condition)} ${names.join(' ')}${takes} -d ${quote(text)}`;
}

function command({ name, text, options, argument }: CompletedCommand): string {
  const given = `__fish_seen_subcommand_from ${name}`;
  return [
    `complete -c posix-daemonize -n __fish_use_subcommand -f -a ${name} -d ${quote(text)}`,
    ...options.map((one) => option(given, one)),
    `complete -c posix-daemonize -n ${quote(given)} ${values(argument)}`,
  ].join('\n');
}

export function fish(
  commands: readonly CompletedCommand[],
  options: readonly CompletedOption[],
): string {
  return [
    '# fish completion for posix-daemonize',
    'complete -c posix-daemonize -n __fish_use_subcommand -f',
    ...options.map((one) => option('__fish_use_subcommand', one)),
    ...commands.map(command),
    '',
  ].join('\n');
}
