/** The commands, and what all of them have in common. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';

const { version } = JSON.parse(
  readFileSync(join(__dirname, '../package.json'), 'utf8'),
) as { version: string };

export const program = new Command('posix-daemonize')
  .description('Runs commands as daemons, and daemons that a file describes')
  .version(version);
