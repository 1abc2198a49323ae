/** Scripts for the completion of shells. */
import type { Command } from 'commander';
import { bash } from './bash';
import { fish } from './fish';
import { commandsOf, optionsOf } from './words';
import { zsh } from './zsh';

const writers = { bash, fish, zsh };

export function completionFor(
  shell: keyof typeof writers,
  program: Command,
): string {
  return writers[shell](commandsOf(program), optionsOf(program));
}
