/** Checks of arguments, with the errors that Node itself throws for them. */
import { signalNumber } from './constants';
import { invalidArgType, invalidArgValue, outOfRange } from './errors';

const INT32_MIN = -0x80000000;
const INT32_MAX = 0x7fffffff;

export function validateInteger(
  value: unknown,
  name: string,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number')
    throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max)
    throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

export function validateFd(
  value: unknown,
  name: string,
): asserts value is number {
  validateInteger(value, name, 0, INT32_MAX);
}

/** Any pid_t, negative ones too. */
export function validatePid(
  value: unknown,
  name: string,
  min = INT32_MIN,
): asserts value is number {
  validateInteger(value, name, min, INT32_MAX);
}

/** Text that is to reach the kernel, whose strings end at the first NUL. */
export function validateString(
  value: unknown,
  name: string,
): asserts value is string {
  if (typeof value !== 'string')
    throw invalidArgType(name, 'of type string', value);
  if (value.includes('\0')) {
    throw invalidArgValue(name, value, 'must be a string without null bytes');
  }
}

/** Bytes of an ident that leave room for a whole line in what rsyslog takes. */
export const longestIdent = 48;

/** What stands before each entry of a log, in one line with it. */
export function validateIdent(
  value: unknown,
  name: string,
): asserts value is string {
  validateString(value, name);
  const fault = /\p{Cc}/u.test(value)
    ? 'without control characters'
    : Buffer.byteLength(value) > longestIdent &&
      `of no more than ${longestIdent} bytes`;
  if (fault) throw invalidArgValue(name, value, `must be a string ${fault}`);
}

/** @returns the signal's number */
export function validateSignal(value: unknown, name: string): number {
  const number = signalNumber(value);
  if (number !== undefined) return number;
  const reason = "must be the name of a signal, such as 'SIGHUP'";
  throw invalidArgValue(name, value, reason);
}

export function validateBoolean(
  value: unknown,
  name: string,
): asserts value is boolean {
  if (typeof value !== 'boolean')
    throw invalidArgType(name, 'of type boolean', value);
}

/** ms, as far as setTimeout goes; `Infinity` is for ever. */
export function validateTime(
  value: unknown,
  name: string,
): asserts value is number {
  if (value !== Infinity) validateInteger(value, name, 1, INT32_MAX);
}

export function validateFunction(value: unknown, name: string): void {
  if (typeof value !== 'function')
    throw invalidArgType(name, 'of type function', value);
}

export function validateArray(
  value: unknown,
  name: string,
): asserts value is unknown[] {
  if (!Array.isArray(value))
    throw invalidArgType(name, 'an instance of Array', value);
}

export function validateOneOf<T>(
  value: unknown,
  name: string,
  allowed: readonly T[],
): asserts value is T {
  if (!allowed.includes(value as T)) {
    const list = allowed.map((item) =>
      typeof item === 'string' ? `'${item}'` : String(item),
    );
    throw invalidArgValue(name, value, `must be one of: ${list.join(', ')}`);
  }
}

export function validateObject(
  value: unknown,
  name: string,
): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgType(name, 'of type object', value);
  }
}

/** An object that has no other keys than `known`. */
export function validateOptions(
  value: unknown,
  name: string,
  known: readonly string[],
): asserts value is object {
  validateObject(value, name);
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw unknownOption(`${name}.${key}`, key, known, value);
  }
}

function unknownOption(
  name: string,
  key: string,
  known: readonly string[],
  options: object,
): TypeError {
  return invalidArgValue(
    name,
    options[key as keyof typeof options],
    `is unknown${didYouMean(key, known)}`,
  );
}

/** `", did you mean 'cwd'?"`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({
      candidate,
      distance: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ distance }) => distance <= Math.max(2, word.length / 2))
    .sort((a, b) => a.distance - b.distance);
  return nearest ? `, did you mean '${nearest.candidate}'?` : '';
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min(
          next[j - 1]! + 1,
          row[j]! + 1,
          row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[b.length]!;
}
