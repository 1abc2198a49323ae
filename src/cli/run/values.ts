/** What stands behind a flag, read from its text. */
import { InvalidArgumentError } from 'commander';
import { type Signal, signalName, signalNumber } from '../../constants';

const largestTime = 0x7fffffff;

export function octal(text: string): number {
  if (!/^(?:0o?)?[0-7]{1,3}$/.test(text))
    throw new InvalidArgumentError('It must be octal, as 027 is.');
  return Number.parseInt(text.replace('o', ''), 8);
}

export function list(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

export function descriptors(text: string): number[] {
  return list(text).map((item) => {
    if (/^\d{1,9}$/.test(item)) return Number(item);
    throw new InvalidArgumentError('It must be numbers, as 3,4 is.');
  });
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * A time in ms, by number and unit; `infinity` is for ever. A bare number would
 * be seconds to who knows timeout(1), and ms to who knows Node.
 */
export function duration(text: string): number {
  if (text === 'infinity') return Infinity;
  const [, number, unit = ''] =
    /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? [];
  if (number === undefined) {
    throw new InvalidArgumentError(
      'It must be a number with its unit, ms, s, m or h, as 500ms or 30s; or infinity.',
    );
  }
  const ms = Math.round(Number(number) * units[unit]!);
  if (ms < 1 || ms > largestTime)
    throw new InvalidArgumentError('It must be between 1ms and 596h.');
  return ms;
}

/** A path, or a descriptor by its number, as the options of daemonize have it. */
export function target(text: string): string | number {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** By its name, with or without SIG, or by its number: as kill(1) takes it. */
export function signal(text: string): Signal {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (signalNumber(name) !== undefined) return name as Signal;
  const numbered = /^[1-9]\d?$/.test(text) ? signalName(Number(text)) : '';
  if (signalNumber(numbered) !== undefined) return numbered as Signal;
  throw new InvalidArgumentError(
    'It must be a signal by name or number, as TERM, SIGTERM or 15.',
  );
}

/** Of variables, `NAME,NAME`. */
export function names(text: string): string[] {
  if (!text.includes('=')) return list(text);
  throw new InvalidArgumentError(
    'It must be names of variables to keep, as PATH,HOME; --set-env sets one.',
  );
}

/** `NAME=VALUE`, added to those before. */
export function assignment(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, name, value] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  if (name === undefined)
    throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...before, [name]: value! };
}

/** What the launching process waits for. */
export type Ready =
  | { by: 'exec' }
  | { by: 'notify' }
  /** A newline on that descriptor. */
  | { by: 'fd'; fd: number };

export function ready(text: string): Ready {
  if (text === 'exec' || text === 'notify') return { by: text };
  const [, number] = /^fd:(\d{1,9})$/.exec(text) ?? [];
  const fd = Number(number);
  if (number !== undefined && fd > 2) return { by: 'fd', fd };
  throw new InvalidArgumentError(
    "It must be 'exec', 'notify' or 'fd:N' with a descriptor N above 2.",
  );
}
