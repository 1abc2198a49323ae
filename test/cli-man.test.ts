import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodes, statusCodes } from '../src/cli/exit-codes';
import { program } from '../src/cli/program';
import { runToEnd } from './helpers/cli';
import { needs } from './helpers/surroundings';

const path = join(__dirname, '../man/posix-daemonize.1');
const page = readFileSync(path, 'utf8');
const documentation = readFileSync(
  join(__dirname, '../docs/command-line.md'),
  'utf8',
);

test(
  'groff has no warning about the man page',
  needs(['groff', 'groff-base']),
  async () => {
    const { status, stdout, stderr } = await runToEnd(
      ['groff', '-ww', '-man', '-Tutf8', path],
      { env: { GROFF_NO_SGR: '1' } },
    );
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /posix/);
  },
);

test(
  'mandoc has no warning about the man page',
  needs(['mandoc']),
  async () => {
    const { status, stdout } = await runToEnd([
      'mandoc',
      '-Tlint',
      '-Wwarning',
      path,
    ]);
    assert.deepEqual([status, stdout], [0, '']);
  },
);

test('the man page has every option of every command, and no other', () => {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const part = page.slice(
    page.indexOf('.SH COMMANDS'),
    page.indexOf('.SH READINESS'),
  );
  for (const command of commands) {
    const [, section = ''] = part.split(
      new RegExp(`\\.SS ${command.name()}[ |]`),
    );
    const own = section.split('\n.SS ')[0]!;
    const documented = [...own.matchAll(/\\fB(\\-\\-[\w\\-]+)\\fR/g)].map(
      ([, flag]) => flag!.replaceAll('\\', ''),
    );
    assert.deepEqual(
      documented,
      help.visibleOptions(command).map(({ long }) => long),
      command.name(),
    );
  }
});

test('every option that the texts speak of exists', () => {
  const help = program.createHelp();
  const flags = help
    .visibleCommands(program)
    .flatMap((command) => help.visibleOptions(command))
    .map(({ long }) => long);
  flags.push('--version', '--pid');
  for (const text of [page.replaceAll('\\-', '-'), documentation])
    for (const [flag] of text.matchAll(/(?<![-\w])--[a-z][a-z-]+/g))
      assert.ok(flags.includes(flag), flag);
});

test('the exit codes are in the man page and in docs/command-line.md', () => {
  const [, section = ''] = page.split('.SH EXIT STATUS');
  for (const code of Object.values(exitCodes)) {
    assert.match(section, new RegExp(`^\\.B ${code}$`, 'm'));
    assert.match(documentation, new RegExp(`^\\| ${code} `, 'm'));
  }
  for (const code of Object.values(statusCodes))
    assert.match(section, new RegExp(`\\b${code} (running|dead|not|unknown)`));
});
