/** zsh(1), by `_arguments`: zshcompsys(1). */
import {
  type CompletedCommand,
  type CompletedOption,
  listNames,
  type Value,
} from './words';

const quote = (text: string): string => text.replaceAll("'", "'\\''");

/** What `_arguments` does for a value. */
function action(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'user':
      return '_users';
    case 'group':
      return '_groups';
    case 'daemon':
      return '_posix_daemonize_names';
    case 'command':
    case 'none':
    case 'text':
      return '';
  }
}

function option({ flags, text, value, optional }: CompletedOption): string[] {
  const shown = quote(text.replace(/[[\]:\\]/g, '\\$&'));
  const rest =
    value.kind === 'none'
      ? ''
      : `${optional ? '::' : ':'}${value.kind}:${quote(action(value))}`;
  return flags.map((flag) => {
    const joined = value.kind !== 'none' && flag.startsWith('--');
    const separator = joined ? (optional ? '=-' : '=') : '';
    return `'*${flag}${separator}[${shown}]${rest}'`;
  });
}

function argument(value: Value): string[] {
  if (value.kind === 'none') return [];
  if (value.kind === 'command')
    return [`'(-)1:command:_command_names -e'`, `'*::arguments:_normal'`];
  return [`'*:${value.kind}:${quote(action(value))}'`];
}

function command({ name, options, argument: value }: CompletedCommand): string {
  const specs = [...options.flatMap(option), ...argument(value)];
  return `    ${name})
      _arguments -S ${specs.map((spec) => `\\\n        ${spec}`).join(' ')} ;;`;
}

export function zsh(
  commands: readonly CompletedCommand[],
  options: readonly CompletedOption[],
): string {
  const listed = commands.map(
    ({ name, text }) => `    '${name}:${quote(text)}'`,
  );
  const specs = options.flatMap(option);
  return `#compdef posix-daemonize

_posix_daemonize_names() {
  local -a names
  names=(\${(f)"$(${listNames})"})
  _describe daemon names
}

_posix_daemonize_commands() {
  local -a commands
  commands=(
${listed.join('\n')}
  )
  _describe command commands
}

_posix_daemonize() {
  local curcontext=$curcontext state line
  _arguments -C ${specs.map((spec) => `\\\n    ${spec}`).join(' ')} \\
    '1:command:_posix_daemonize_commands' '*::arguments:->arguments'
  [[ $state == arguments ]] || return
  case $line[1] in
${commands.map(command).join('\n')}
  esac
}

if [ "$funcstack[1]" = _posix_daemonize ]; then
  _posix_daemonize "$@"
else
  compdef _posix_daemonize posix-daemonize
fi
`;
}
