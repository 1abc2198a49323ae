/** bash(1), `complete -F`. Needs nothing of the package bash-completion. */
import {
  type CompletedCommand,
  type CompletedOption,
  listNames,
  type Value,
} from './words';

/** Sets COMPREPLY to what fits the word `$cur`. */
function reply(value: Value): string {
  const generate = (args: string): string =>
    `COMPREPLY=( $(compgen ${args} -- "$cur") )`;
  switch (value.kind) {
    case 'none':
    case 'text':
      return 'COMPREPLY=()';
    case 'words':
      return generate(`-W '${value.words.join(' ')}'`);
    case 'file':
      return `compopt -o filenames; ${generate('-f')}`;
    case 'directory':
      return `compopt -o filenames; ${generate('-d')}`;
    case 'user':
      return generate('-u');
    case 'group':
      return generate('-g');
    case 'daemon':
      return generate(`-W "$(${listNames})"`);
    case 'command':
      return generate('-c');
  }
}

const words = (options: readonly CompletedOption[]): string =>
  options.flatMap(({ flags }) => flags).join(' ');

/** Those after which the next word is a value; after others only one behind `=`. */
const taking = (options: readonly CompletedOption[]): CompletedOption[] =>
  options.filter(({ value, optional }) => value.kind !== 'none' && !optional);

function command({ name, options, argument }: CompletedCommand): string {
  const cases = options
    .filter(({ value }) => value.kind !== 'none')
    .map(({ flags, value, optional }) => {
      const answer = `${reply(value)}; return`;
      const guarded = optional ? `[[ -z $joined ]] || { ${answer}; }` : answer;
      return `        ${flags.join('|')}) ${guarded} ;;`;
    });
  const takers = taking(options).flatMap(({ flags }) => flags);
  return `    ${name})
      case "$prev" in
${cases.join('\n')}
      esac
      _posix_daemonize_argument '${takers.join(' ')}'
      if [[ -n $argument && ${argument.kind === 'command' ? 1 : 0} == 1 ]]; then
        if (( argument == COMP_CWORD )); then ${reply(argument)}
        else compopt -o filenames; COMPREPLY=( $(compgen -f -- "$cur") ); fi
      elif [[ $cur == -* ]]; then COMPREPLY=( $(compgen -W '${words(options)}' -- "$cur") )
      else ${reply(argument)}; fi ;;`;
}

export function bash(
  commands: readonly CompletedCommand[],
  options: readonly CompletedOption[],
): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion for posix-daemonize

# Where the first word is that is no option, or would be; empty: an option is
# being typed.
_posix_daemonize_argument() {
  local i
  argument=
  for (( i = 2; i < COMP_CWORD; i++ )); do
    case "\${COMP_WORDS[i]}" in
      --) argument=$(( i + 1 )); return ;;
      -*)
        if [[ \${COMP_WORDS[i+1]} == = ]]; then (( i += 2 ))
        elif [[ " $1 " == *" \${COMP_WORDS[i]} "* ]]; then (( i++ )); fi ;;
      *) argument=$i; return ;;
    esac
  done
  [[ $cur == -* ]] || argument=$COMP_CWORD
}

_posix_daemonize() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} argument joined=
  COMPREPLY=()
  # readline makes three words of --option=value.
  if [[ $cur == = ]]; then cur= joined=1
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]} joined=1; fi
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=( $(compgen -W '${names} ${words(options)}' -- "$cur") )
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(command).join('\n')}
  esac
}

complete -F _posix_daemonize posix-daemonize
`;
}
