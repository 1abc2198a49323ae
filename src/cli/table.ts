/** Rows in columns: for people on a terminal, aligned text elsewhere. */
import { isTerminal } from './terminal';

/** @param rows the first one is the head */
export function formatTable(rows: readonly (readonly string[])[]): string {
  return isTerminal(1) ? withLibrary(rows) : aligned(rows);
}

const none = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** It knows how wide a character and a colour are. */
function withLibrary(rows: readonly (readonly string[])[]): string {
  const Table = require('cli-table3') as typeof import('cli-table3');
  const table = new Table({
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return trimLines(table.toString());
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
  return trimLines(rows.map(line).join('\n'));
}

const trimLines = (text: string): string => text.replaceAll(/ +$/gm, '');
