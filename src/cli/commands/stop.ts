import { type Command, Option } from 'commander';
import { duration, signal } from '../run/values';
import { addCommand, lsbOption, pidfileOption } from './options';

export function addStop(program: Command): void {
  const command = addCommand(
    program,
    'stop',
    'stop daemons, and wait for their ends',
    'Stop daemons, those first that depend on others, and wait for their ends.',
    ['', 'web --kill-timeout 30s', '--pidfile /run/other.pid --signal INT'],
  );
  addStopOptions(command)
    .addOption(pidfileOption())
    .addOption(lsbOption())
    .action((names: string[], flags: object) => {
      const { stop } =
        require('../actions/stop') as typeof import('../actions/stop');
      return stop(names, flags);
    });
}

export function addStopOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--signal <signal>',
        'what tells it to end (default: SIGTERM)',
      ).argParser(signal),
    )
    .addOption(
      new Option(
        '--timeout <time>',
        'how long to wait for the end (default: 10s)',
      ).argParser(duration),
    )
    .addOption(
      new Option(
        '--kill-timeout <time>',
        'when to send SIGKILL, to the command too under a supervisor (default: never)',
      ).argParser(duration),
    );
}
