/** What the commands print, and where it may have colours. */
import { fstatSync, writeSync } from 'node:fs';
import { asFailure } from './failure';

/** The descriptor of standard output or standard error. */
export type Output = 1 | 2;

/** SGR parameters: on, off. */
const sgr = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const;

export type Style = keyof typeof sgr;

/** As `isTTY` of the streams, without the streams: those are slow to load. */
export function isTerminal(output: Output): boolean {
  if (!fstatSync(output).isCharacterDevice()) return false;
  const { isatty } = require('node:tty') as typeof import('node:tty');
  return isatty(output);
}

/**
 * Whether what is written there may have colours: on a terminal that has some,
 * unless the user says otherwise.
 * @see https://no-color.org, https://force-color.org
 */
export function hasColours(output: Output): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '')
    return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return TERM !== 'dumb' && isTerminal(output);
}

/** The text in that style, where the output may have colours. */
export function paint(output: Output, style: Style, text: string): string {
  if (!hasColours(output)) return text;
  const [on, off] = sgr[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** A line on standard output. */
export function print(line: string): void {
  write(1, `${line}\n`);
}

/** A line on standard error that is no error, by `posix-daemonize: `. */
export function warn(message: string): void {
  const name = paint(2, 'yellow', 'posix-daemonize:');
  write(2, `${name} ${message}\n`);
}

/**
 * Says on standard error what went wrong and what to do, and what exit code that
 * comes to.
 */
export function complain(error: unknown): number {
  const { message, hint, status } = asFailure(error);
  const name = paint(2, 'red', 'posix-daemonize:');
  const advice = hint === undefined ? '' : `\n  ${hint}`;
  write(2, `${name} ${message}${advice}\n`);
  return status;
}

let lost: NodeJS.ErrnoException | undefined;

/**
 * Why standard output has not all that was written to it: the first error of
 * write(2). A command goes on with what it does; main.ts tells of it in the end.
 */
export const lostOutput = (): NodeJS.ErrnoException | undefined => lost;

/**
 * At once: the process may be about to end without a farewell, or to become
 * another program. An error of standard output is {@link lostOutput}, and nothing
 * more is written there; where standard error has one, nobody could be told.
 */
export function write(output: Output, text: string | Uint8Array): void {
  if (output === 1 && lost) return;
  let rest = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(output, rest));
    } catch (error) {
      // A pipe that is full, and that somebody has made non-blocking.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        if (output === 1) lost = error as NodeJS.ErrnoException;
        return;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
