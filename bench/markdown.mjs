// What all tables of the results are made with.

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map(line).join('\n');
}

export function spread({ median, quartiles }) {
  return `${digits(median)} (${quartiles.map(digits).join('–')})`;
}

export function digits(number) {
  return number >= 100 ? number.toFixed(0) : number.toFixed(number < 1 ? 2 : 1);
}
