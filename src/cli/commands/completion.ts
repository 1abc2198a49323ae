/** `posix-daemonize completion`: what shells need to complete its words. */
import { Argument, type Command } from 'commander';
import { write } from '../terminal';

const help = `
bash:  posix-daemonize completion bash > /etc/bash_completion.d/posix-daemonize
zsh:   posix-daemonize completion zsh > "\${fpath[1]}/_posix-daemonize"
fish:  posix-daemonize completion fish > ~/.config/fish/completions/posix-daemonize.fish
For one session: source <(posix-daemonize completion bash)`;

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('print what a shell needs to complete commands and options')
    .description(
      'Print what bash, zsh or fish need to complete commands, options and names of daemons.',
    )
    .addArgument(
      new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']),
    )
    .addHelpText('after', help)
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      const { completionFor } =
        require('../completion') as typeof import('../completion');
      write(1, completionFor(shell, program));
    });
}
