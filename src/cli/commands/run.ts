/** `posix-daemonize run`: any command as a daemon. */
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes';
import { addOptions, type Flags } from '../run/options';
import { print, warn } from '../terminal';

const help = `
Readiness: with 'exec' the start has succeeded once the command is executed. With
'notify' it has when the command sends READY=1 to NOTIFY_SOCKET, as services of
systemd do (systemd-notify --ready); with 'fd:N' when it writes a newline to
descriptor N, as under s6. Until then what it writes to its log is shown here,
and its end is an error with its own exit status.

With --name NAME, root has /run/NAME.pid and /var/log/NAME.log; others have
$XDG_RUNTIME_DIR/NAME.pid and \${XDG_STATE_HOME:-~/.local/state}/NAME/NAME.log.
Where XDG_RUNTIME_DIR is not set the PID file is beside the log.

Examples:
  posix-daemonize run --name clock -- sh -c 'while date; do sleep 1; done'
  posix-daemonize run --name web --user www-data --cwd /srv/web -- python3 -m http.server
  posix-daemonize run --name api --ready notify --ready-timeout 10s -- /opt/api/bin/api
  posix-daemonize run --line-buffered --stdout /var/log/start.out -- python3 /opt/start.py`;

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .summary('turn any command into a daemon')
    .description(
      `Turn any command into a daemon: in a session of its own, without a terminal, its
output in a file or the system log. It is executed in place: nothing of
posix-daemonize stays in memory.`,
    )
    .usage('[options] [--] <command> [argument...]')
    .argument('<command...>', 'the command and its arguments')
    .passThroughOptions()
    .addHelpText('after', help)
    .action((words: string[], flags: Flags) => run(words, flags));
  addOptions(command);
}

// What `--help` and completion do not need is loaded here.
async function run(words: string[], flags: Flags): Promise<void> {
  const { makePlan } = require('../run/plan') as typeof import('../run/plan');
  const { launch } = require('../run/launch') as typeof import('../run/launch');
  const plan = makePlan(flags, words);
  if (flags.dryRun) {
    const { explain } =
      require('../run/steps') as typeof import('../run/steps');
    const { rehearse } =
      require('../run/rehearsal') as typeof import('../run/rehearsal');
    for (const line of explain(plan)) print(line);
    rehearse(plan);
    return;
  }
  const { assertNameFree, remember } =
    require('../run/registration') as typeof import('../run/registration');
  const name = flags.register ? flags.name : undefined;
  try {
    if (name !== undefined) assertNameFree(name, plan);
    const isLaunching = await launch(plan);
    if (isLaunching && name !== undefined)
      remember(name, plan, process.argv.slice(3));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_DAEMON_ALREADY_RUNNING' || !flags.lsb) throw error;
    warn(message);
    process.exitCode = exitCodes.ok;
  }
}
