/** Checks of values by their parts, for tables of options. */
import { invalidArgType } from './errors';
import {
  validateArray,
  validateInteger,
  validateOneOf,
  validateOptions,
  validateString,
} from './validate';

/** Throws what Node throws for a wrong argument of this name. */
export type Check = (value: unknown, name: string) => void;

export const oneOf =
  (...words: readonly unknown[]): Check =>
  (value, name) =>
    validateOneOf(value, name, words);

export const arrayOf =
  (check: Check): Check =>
  (value, name) => {
    validateArray(value, name);
    for (const [index, item] of value.entries())
      check(item, `${name}[${index}]`);
  };

export const integer =
  (min: number, max?: number): Check =>
  (value, name) =>
    validateInteger(value, name, min, max);

export const path: Check = (value, name) => {
  validateString(value, name);
  if (value === '') throw invalidArgType(name, 'a path', value);
};

export const idOrName: Check = (value, name) => {
  if (typeof value === 'number') validateInteger(value, name, 0, 0xfffffffe);
  else if (typeof value === 'string') validateString(value, name);
  else throw invalidArgType(name, 'of type string or number', value);
};

/** An object with no other parts than these, of which `required` must be there. */
export const objectOf =
  (
    parts: Readonly<Record<string, Check>>,
    ...required: readonly string[]
  ): Check =>
  (value, name) => {
    validateOptions(value, name, Object.keys(parts));
    for (const [part, check] of Object.entries(parts)) {
      const item = value[part as keyof typeof value] as unknown;
      if (item !== undefined || required.includes(part))
        check(item, `${name}.${part}`);
    }
  };
