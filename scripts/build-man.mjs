// Writes man/posix-daemonize.1: the text of man/posix-daemonize.1.in, with the
// commands and options that the command line itself has.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bundle = join(root, 'build/program.cjs');

buildSync({
  entryPoints: [join(root, 'src/cli/program.ts')],
  outfile: bundle,
  platform: 'node',
  target: 'node20',
  bundle: true,
  packages: 'external',
  format: 'cjs',
});
const { program } = createRequire(import.meta.url)(bundle);

/** Text as roff: no escape, no request at the start of a line, real hyphens. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./gm, '\\&.');

/** `-o, --option <value>` with the option bold and the value in italics. */
const flags = (text) =>
  text
    .split(/( |, )/)
    .map((part) => {
      if (part.startsWith('-')) return `\\fB${roff(part)}\\fR`;
      if (/^[<[]/.test(part)) return `\\fI${roff(part)}\\fR`;
      return part;
    })
    .join('');

/** What the help says of an option, its default and choices too. */
function describe(help, option) {
  const text = help.optionDescription(option).replaceAll('"', '');
  return roff(text[0].toUpperCase() + text.slice(1)) + '.';
}

function options(command) {
  const help = command.createHelp();
  const groups = group(help.visibleOptions(command));
  return [...groups].flatMap(([heading, list]) => [
    '.PP',
    `\\fI${roff(heading ?? 'Options:')}\\fR`,
    ...list.flatMap((option) => [
      '.TP',
      flags(option.flags),
      describe(help, option),
    ]),
  ]);
}

function group(list) {
  const groups = new Map();
  for (const option of list) {
    const { helpGroupHeading: heading } = option;
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return groups;
}

const visible = program.createHelp().visibleCommands(program);
const usage = (command) =>
  command.createHelp().commandUsage(command).replace('posix-daemonize ', '');

const commands = visible.flatMap((command) => [
  `.SS ${roff(usage(command))}`,
  roff(command.description()),
  ...options(command),
]);
const synopsis = visible.flatMap((command) => [
  '.B posix\\-daemonize',
  roff(usage(command)),
  '.br',
]);

const text = readFileSync(join(root, 'man/posix-daemonize.1.in'), 'utf8')
  .replace('@VERSION@', program.version())
  .replace('@SYNOPSIS@', () => synopsis.slice(0, -1).join('\n'))
  .replace('@COMMANDS@', () => commands.join('\n'));
writeFileSync(join(root, 'man/posix-daemonize.1'), text);
