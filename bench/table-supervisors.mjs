// Supervisors, as a table.
import { digits, spread, table } from './markdown.mjs';

export function tabulateSupervisors(rows, { rounds }) {
  return [
    '### Supervisors',
    `Memory in MB, after ${rounds.kill} restarts; the time from \`kill -9\` of the program to its next first line; × is the ratio to the first row.`,
    table(
      ['', 'resident', '×', 'in shares (PSS)', '×', 'back again', '×'],
      rows.map(({ name, rss, pss, restart, ratio }) => [
        name,
        ...[digits(rss), ratio.rss.toFixed(2)],
        ...[digits(pss), ratio.pss.toFixed(2)],
        ...[spread(restart), ratio.restart.toFixed(2)],
      ]),
    ),
  ];
}
