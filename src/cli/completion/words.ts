/** What there is to complete, from the tree of commands. */
import type { Command, Option } from 'commander';

/** What comes after an option, or as an argument. */
export type Value =
  | { kind: 'none' }
  | { kind: 'words'; words: readonly string[] }
  | { kind: 'file' | 'directory' | 'user' | 'group' | 'text' }
  /** Of a daemon that daemons.json describes. */
  | { kind: 'daemon' }
  /** Of a program, and then its own arguments. */
  | { kind: 'command' };

export interface CompletedOption {
  /** As `--name`, `-n`. */
  flags: readonly string[];
  text: string;
  value: Value;
  /** Whether it may stand without its value, or with `=` only. */
  optional: boolean;
}

export interface CompletedCommand {
  name: string;
  text: string;
  options: readonly CompletedOption[];
  argument: Value;
}

export function commandsOf(program: Command): CompletedCommand[] {
  return visible(program).map((command) => ({
    name: command.name(),
    text: firstLine(command.summary() || command.description()),
    options: optionsOf(command),
    argument: argumentOf(command),
  }));
}

/** Those that help lists. */
export function visible(program: Command): Command[] {
  return [...program.createHelp().visibleCommands(program)];
}

export function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined),
      text: firstLine(option.description),
      value: valueOf(option),
      optional: option.optional,
    }));
}

const firstLine = (text: string): string => text.split('\n')[0]!;

/** By the name of what is between < and >. */
const kinds: Readonly<Record<string, Value['kind']>> = {
  command: 'command',
  config: 'file',
  directory: 'directory',
  file: 'file',
  group: 'group',
  groups: 'group',
  name: 'daemon',
  names: 'daemon',
  user: 'user',
};

function valueOf({ argChoices, flags }: Option): Value {
  if (argChoices) return { kind: 'words', words: argChoices };
  const [, name] = /[<[]([^\]>.]+)/.exec(flags) ?? [];
  if (name === undefined) return { kind: 'none' };
  const kind = kinds[name] ?? 'text';
  // A new daemon's name, or those of variables.
  return { kind: kind === 'daemon' ? 'text' : kind } as Value;
}

function argumentOf(command: Command): Value {
  const [argument] = command.registeredArguments;
  if (!argument) return { kind: 'none' };
  const { argChoices } = argument;
  if (argChoices) return { kind: 'words', words: argChoices };
  return { kind: kinds[argument.name()] ?? 'text' } as Value;
}

/** Prints the names of daemons, one a line; nothing where none are described. */
export const listNames = 'posix-daemonize list --names 2>/dev/null';
