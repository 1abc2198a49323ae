/** How a file describes daemons: every key, and every check of it. */
import {
  arrayOf,
  type Check,
  idOrName,
  integer,
  objectOf,
  oneOf,
  path,
} from '../../checks';
import type { Signal } from '../../constants';
import { invalidArgType, invalidArgValue } from '../../errors';
import { assertName } from '../places';
import {
  validateBoolean,
  validateObject,
  validateOptions,
  validateSignal,
  validateString,
  validateTime,
} from '../../validate';

/** A daemon, word for word as the file has it. */
export interface Definition {
  command: string | [file: string, ...args: string[]];
  shell?: boolean;
  chmod?: boolean;
  lineBuffered?: boolean;
  cwd?: string;
  env?: Record<string, string>;
  user?: string | number;
  group?: string | number;
  umask?: string;
  log?: string;
  stdout?: string;
  stderr?: string;
  pidfile?: string;
  respawn?: boolean | RespawnDefinition;
  ready?: string;
  readyTimeout?: number;
  stopSignal?: Signal;
  stopTimeout?: number;
  killTimeout?: number;
  dependsOn?: string[];
  delay?: number;
}

/** The whole file. */
export interface Definitions {
  $schema?: string;
  delay?: number;
  daemons: Record<string, Definition>;
}

/** What only a shell would understand. */
const shellCharacters = /["'`$&|;<>()*?[\]~#\\\n]/;

const command: Check = (value, name) => {
  if (typeof value === 'string') {
    path(value.trim(), name);
    validateString(value, name);
    return;
  }
  if (!Array.isArray(value))
    throw invalidArgType(name, 'of type string or an array', value);
  arrayOf(validateString)(value, name);
  path(value[0], `${name}[0]`);
};

/** JSON has decimal numbers only: 27 would be 033. */
const umask: Check = (value, name) => {
  if (typeof value === 'string' && /^0*[0-7]{1,3}$/.test(value)) return;
  const reason = "must be octal digits in quotes, such as '027'";
  throw invalidArgValue(name, value, reason);
};

/** Of variables: '=' would end the name. */
const env: Check = (value, name) => {
  validateObject(value, name);
  for (const [key, item] of Object.entries(value)) {
    if (key === '' || /[=\0]/.test(key))
      throw invalidArgValue(name, value, `cannot have the name '${key}'`);
    validateString(item, `${name}.${key}`);
  }
};

const ready: Check = (value, name) => {
  if (
    typeof value === 'string' &&
    /^(exec|notify|fd:([3-9]|[1-9]\d{1,8}))$/.test(value)
  )
    return;
  const reason = "must be 'exec', 'notify', or 'fd:3' for a descriptor";
  throw invalidArgValue(name, value, reason);
};

/** Of the supervisor that stays, where it is not `true` or `false`. */
const respawnOptions = {
  when: oneOf('always', 'on-failure'),
  delay: validateTime,
  maxDelay: validateTime,
  resetAfter: validateTime,
  limit: objectOf(
    { restarts: integer(1, 999_999), seconds: integer(1, 9_999_999) },
    'restarts',
    'seconds',
  ),
  finalCodes: arrayOf(integer(0, 255)),
  orphan: oneOf('stop', 'keep'),
  childPidfile: path,
};

export interface RespawnDefinition {
  when?: 'always' | 'on-failure';
  delay?: number;
  maxDelay?: number;
  resetAfter?: number;
  limit?: { restarts: number; seconds: number };
  finalCodes?: number[];
  orphan?: 'stop' | 'keep';
  childPidfile?: string;
}

const respawn: Check = (value, name) => {
  if (typeof value === 'boolean') return;
  if (typeof value !== 'object' || value === null)
    throw invalidArgType(name, 'of type boolean or object', value);
  objectOf(respawnOptions)(value, name);
};

const delay = integer(0, 0x7fffffff);

const checks: Readonly<Record<keyof Definition, Check>> = {
  command,
  shell: validateBoolean,
  chmod: validateBoolean,
  lineBuffered: validateBoolean,
  cwd: path,
  env,
  user: idOrName,
  group: idOrName,
  umask,
  log: path,
  stdout: path,
  stderr: path,
  pidfile: path,
  respawn,
  ready,
  readyTimeout: validateTime,
  stopSignal: validateSignal,
  stopTimeout: validateTime,
  killTimeout: validateTime,
  dependsOn: arrayOf(validateString),
  delay,
};

/** Every key that a daemon can have. */
export const keys = Object.keys(checks) as (keyof Definition)[];

const daemon: Check = (value, name) => {
  objectOf(checks, 'command')(value, name);
  const { command, shell, log, stdout, stderr } = value as Definition;
  if (log !== undefined && (stdout ?? stderr) !== undefined) {
    const reason = "is for both outputs: give it, or 'stdout' and 'stderr'";
    throw invalidArgValue(`${name}.log`, log, reason);
  }
  const needsShell =
    typeof command === 'string' && shellCharacters.test(command);
  if (needsShell && shell !== true) {
    const reason = `has characters for a shell: write ["program", "argument"], or "shell": true`;
    throw invalidArgValue(`${name}.command`, command, reason);
  }
  if (shell === true && typeof command !== 'string')
    throw invalidArgType(
      `${name}.command`,
      'of type string for a shell',
      command,
    );
};

const daemons: Check = (value, name) => {
  validateObject(value, name);
  for (const [key, item] of Object.entries(value)) {
    assertName(key);
    daemon(item, `${name}.${key}`);
  }
};

/**
 * @throws {TypeError | RangeError} as for a wrong argument; the name in it is the
 *   path inside the file, such as `daemons.web.umask`
 */
export function checkDefinitions(value: unknown): asserts value is Definitions {
  validateOptions(value, 'file', ['$schema', 'delay', 'daemons']);
  const { $schema, delay: between, daemons: all } = value as Definitions;
  if ($schema !== undefined) validateString($schema, '$schema');
  if (between !== undefined) delay(between, 'delay');
  daemons(all, 'daemons');
}
