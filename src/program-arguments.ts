/** What a program is given at its start: arguments and environment. */
import { invalidArgValue } from './errors';
import { validateArray, validateObject, validateString } from './validate';

/** An array of strings with at least the program's name. */
export function validateArguments(
  argv: unknown,
  name: string,
): asserts argv is readonly string[] {
  validateArray(argv, name);
  argv.forEach((argument, i) => validateString(argument, `${name}[${i}]`));
  if (argv.length === 0) {
    throw invalidArgValue(name, argv, "must begin with the program's name");
  }
}

/** `NAME=VALUE` for each entry that is not undefined. */
export function environmentStrings(
  env: NodeJS.ProcessEnv,
  name: string,
): string[] {
  validateObject(env, name);
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return set.map(([variable, value]) => {
    validateString(variable, name);
    validateString(value, `${name}.${variable}`);
    if (variable === '' || variable.includes('=')) {
      throw invalidArgValue(name, variable, "must have names without '='");
    }
    return `${variable}=${value}`;
  });
}
