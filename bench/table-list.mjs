// What runs, as a table.
import { digits, spread, table } from './markdown.mjs';

export function tabulateList(rows, { rounds }) {
  return [
    '### What runs',
    `Median of ${rounds.list}; × is the ratio to \`pm2 ls\`. Aims: status within 60, list within 150 more than \`node -e 0\`.`,
    table(
      ['', 'shell back', 'least', 'more than `node -e 0`', '×'],
      rows.map((row) => [
        row.name,
        spread(row),
        digits(row.min),
        digits(row.more),
        row.ratio.toFixed(2),
      ]),
    ),
  ];
}
