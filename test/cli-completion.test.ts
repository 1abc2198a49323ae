import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Command } from 'commander';
import { completionFor } from '../src/cli/completion';
import { cli, cliPath, runToEnd } from './helpers/cli';
import { withFolder } from './helpers/scenario';
import { needs } from './helpers/surroundings';

/** What is typed, and what the shell makes of it. */
const typed: readonly (readonly [string, readonly string[]])[] = [
  ['posix-daemonize ru', ['run']],
  ['posix-daemonize run --line', ['--line-buffered']],
  ['posix-daemonize run --umask 022 --dry', ['--dry-run']],
  ['posix-daemonize run --close-fds inh', ['inherited']],
  ['posix-daemonize run --user roo', ['root']],
  ['posix-daemonize run --name x -- only-her', ['only-here']],
  ['posix-daemonize run --name x only-her', ['only-here']],
  ['posix-daemonize run only-here /etc/hostna', ['/etc/hostname']],
  ['posix-daemonize completion fi', ['fish']],
];

/** A folder whose bin/ is in PATH: the command line, and a program to complete. */
function withBin(
  use: (folder: string, env: Record<string, string>) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(cliPath, join(bin, 'posix-daemonize'));
    writeFileSync(join(bin, 'only-here'), '#!/bin/sh\n', { mode: 0o755 });
    const PATH = `${bin}:${process.env.PATH ?? ''}`;
    await use(folder, { PATH, HOME: folder, XDG_CONFIG_HOME: folder });
  });
}

async function script(folder: string, shell: string): Promise<string> {
  const { status, stdout, stderr } = await cli(['completion', shell]);
  assert.deepEqual([status, stderr], [0, '']);
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, stdout);
  const checked = await runToEnd([shell, '-n', file]);
  assert.deepEqual([checked.status, checked.stderr], [0, '']);
  return file;
}

/** What bash alone sees as three words, of which it completes the last one. */
const joined: readonly (readonly [string, readonly string[]])[] = [
  ['posix-daemonize run --respawn=', ['always', 'on-failure']],
  ['posix-daemonize run --respawn=on', ['on-failure']],
  ['posix-daemonize run --close-fds=inh', ['inherited']],
  ['posix-daemonize run --umask=022 --dry', ['--dry-run']],
  ['posix-daemonize run --umask=022 only-her', ['only-here']],
  ['posix-daemonize run --respawn only-her', ['only-here']],
];

// Completes without a terminal, as readline would.
const bash = `
source "$1"
compopt() { :; }
while read -r line; do
  read -ra COMP_WORDS <<< "\${line//=/ = }"
  COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
  _posix_daemonize
  printf '%s\\n' "\${COMPREPLY[@]}" | sort -u | paste -sd' '
done < "$2"`;

const fish = `
source $argv[1]
for line in (cat $argv[2])
  string join -- ' ' (complete -C "$line" | string replace -r '\\t.*' '' | sort -u)
end`;

describe('a shell completes', () => {
  for (const [shell, program, asked] of [
    ['bash', bash, [...typed, ...joined]],
    ['fish', fish, typed],
  ] as const)
    test(
      `${shell}: commands, options, values, programs and files`,
      needs([shell]),
      () =>
        withBin(async (folder, env) => {
          const file = await script(folder, shell);
          const lines = join(folder, 'lines');
          writeFileSync(lines, asked.map(([line]) => `${line}\n`).join(''));
          const dash = shell === 'bash' ? ['-'] : [];
          const { stdout, stderr } = await runToEnd(
            [shell, '-c', program, ...dash, file, lines],
            { env },
          );
          assert.equal(stderr, '');
          assert.deepEqual(
            stdout.trimEnd().split('\n'),
            asked.map(([, words]) => words.join(' ')),
          );
        }),
    );

  // On a terminal of its own, with the real widget.
  const zsh = `
zmodload zsh/zpty
zpty z zsh -f -i
expect() { local part; seen=; while [[ $seen != *$1* ]] && zpty -r z part; do seen+=$part; done }
zpty -w z "PROMPT= PS2= ; autoload -U compinit; compinit -u -D; source $1; bindkey '^U' kill-whole-line; unset zle_bracketed_paste; bindkey '^X' show; show() { print -r -- \\"[[[\\$BUFFER]]]\\"; }; zle -N show; print -r REA''DY"
expect READY
while read -r line; do
  zpty -w -n z "$line"$'\\t\\x18'
  expect ']]]'
  print -r -- "\${\${seen##*\\[\\[\\[}%%\\]\\]\\]*}"
  zpty -w -n z $'\\x15'
done < "$2"
zpty -d z`;

  test(
    'zsh: commands, options, values, programs and files',
    needs(['zsh']),
    () =>
      withBin(async (folder, env) => {
        const file = await script(folder, 'zsh');
        const lines = join(folder, 'lines');
        writeFileSync(lines, typed.map(([line]) => `${line}\n`).join(''));
        const { stdout } = await runToEnd(
          ['zsh', '-f', '-c', zsh, '-', file, lines],
          { env },
        );
        const seen = stdout.trimEnd().split('\n');
        assert.deepEqual(
          seen.map((line) => line.trimEnd()),
          typed.map(([line, [word]]) => line.replace(/\S+$/, word!).trimEnd()),
        );
      }),
  );
});

test(
  'names of daemons come from posix-daemonize list --names',
  needs(['bash'], ['fish']),
  () =>
    withBin(async (folder, env) => {
      const named = join(folder, 'named');
      mkdirSync(named);
      const answer =
        '#!/bin/sh\n[ "$*" = "list --names" ] && printf "alpha\\nbeta\\n"\n';
      writeFileSync(join(named, 'posix-daemonize'), answer, { mode: 0o755 });
      const program = new Command('posix-daemonize');
      program.command('stop').argument('[name...]');
      const lines = join(folder, 'lines');
      writeFileSync(lines, 'posix-daemonize stop al\n');
      for (const [shell, use, ...dash] of [
        ['bash', bash, '-'],
        ['fish', fish],
      ] as const) {
        const file = join(folder, shell);
        writeFileSync(file, completionFor(shell, program));
        const { stdout, stderr } = await runToEnd(
          [shell, '-c', use, ...dash, file, lines],
          { env: { ...env, PATH: `${named}:${env.PATH!}` } },
        );
        assert.deepEqual([stdout, stderr], ['alpha\n', '']);
      }
    }),
);
