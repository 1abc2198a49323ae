/** Rows in columns: for people on a terminal, aligned text elsewhere. */
import { stripVTControlCharacters } from 'node:util';
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
    Math.max(...rows.map((row) => widthOf(row[column]!))),
  );
  const pad = (cell: string, column: number): string =>
    cell + ' '.repeat(widths[column]! - widthOf(cell));
  const line = (row: readonly string[]): string => row.map(pad).join('  ');
  return trimLines(rows.map(line).join('\n'));
}

/** FORCE_COLOR brings colours here too. */
const widthOf = (cell: string): number => stripVTControlCharacters(cell).length;

const trimLines = (text: string): string => text.replaceAll(/ +$/gm, '');
