// The results as Markdown tables.
import { digits, spread, table } from './markdown.mjs';
import { tabulateList } from './table-list.mjs';
import { tabulateSupervisors } from './table-supervisors.mjs';
import { tabulateSyslog } from './table-syslog.mjs';

const steps = [
  'prepare',
  'stop',
  'survey',
  'fork',
  'setsid',
  'refork',
  'replace',
  'revive',
];

export function tabulate(results) {
  const { machine, launch, imports, launchImports, fork } = results;
  const { syslog, supervisors, list } = results;
  return [
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node.js ${machine.node}, Python ${machine.python}. Times in ms; the middle half of the samples stands in parentheses.`,
    `### Launch\n\nMedian of ${machine.rounds.launch}; × is the ratio to \`node -e 0\`.`,
    launchTable(launch),
    aim(launch, imports),
    `### Launch, with ${machine.imports} ms of imports before it`,
    launchTable(launchImports),
    '### Import of the package',
    importTable(imports),
    `### \`fork()\` by heap size\n\nMedian of ${machine.rounds.fork}; × is the ratio to the C program.`,
    forkTable(fork),
    '### Where the time goes\n\n`fork()`, the first of the pair:',
    stepTable(fork, ({ pair }) => pair.forks[0]),
    'The second, in the child:',
    stepTable(fork, ({ pair }) => pair.forks[1]),
    'Outside the two, in JavaScript:',
    stepTable(fork, ({ pair }) => ({ rest: pair.rest, pair: pair.median })),
    '`daemonize()`, both forks in one call:',
    stepTable(fork, ({ daemonize }) => ({
      ...daemonize.forks[0],
      rest: daemonize.rest,
      daemonize: daemonize.median,
    })),
    ...tabulateSyslog(syslog, machine),
    ...tabulateSupervisors(supervisors, machine),
    ...tabulateList(list, machine),
  ].join('\n\n');
}

function launchTable(rows) {
  return table(
    ['', 'first line', 'least', '×', 'shell back', 'least', '×'],
    rows.map(({ name, firstLine, shell }) => [
      name,
      ...(firstLine ? ratioCells(firstLine) : ['', '', '']),
      ...ratioCells(shell),
    ]),
  );
}

function ratioCells(summary) {
  return [spread(summary), digits(summary.min), summary.ratio.toFixed(2)];
}

function aim(launch, imports) {
  const unit = find(launch, 'node -e 0').shell.median;
  const { median } = find(imports, 'require').inside;
  const line = find(launch, 'posix-daemonize, require').firstLine.median;
  const most = 1.15 * unit + median;
  return `Aim: first line within 1.15 × \`node -e 0\` and the import, ${digits(most)}. It is ${digits(line)}.`;
}

function importTable(rows) {
  return table(
    ['', 'by the clock inside', 'least', 'difference of whole processes'],
    rows.map(({ name, inside, whole }) => [
      `\`${name}\``,
      spread(inside),
      digits(inside.min),
      digits(whole),
    ]),
  );
}

function forkTable(rows) {
  return table(
    ['heap', 'in C', 'pair of `fork()`', '×', '`daemonize()`', '×'],
    rows.map(({ name, c, pair, daemonize }) => [
      name,
      spread(c),
      spread(pair),
      pair.ratio.toFixed(2),
      spread(daemonize),
      daemonize.ratio.toFixed(2),
    ]),
  );
}

/** A column for each heap, a row for each step that any of them has. */
function stepTable(rows, timesOf) {
  const columns = rows.map(timesOf);
  const named = [...steps, 'rest', 'pair', 'daemonize'].filter(
    (name) => name in columns[0],
  );
  return table(
    ['', ...rows.map(({ name }) => name)],
    named.map((name) => [name, ...columns.map((times) => digits(times[name]))]),
  );
}

function find(rows, wanted) {
  return rows.find(({ name }) => name === wanted);
}
