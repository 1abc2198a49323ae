import assert from 'node:assert/strict';
import { closeSync, readFileSync, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { test } from 'node:test';
import {
  check,
  DaemonError,
  daemonErrorCodes,
  PosixError,
} from '../src/errors';
import { chdir } from '../src/posix/process';
import { closefrom } from '../src/posix/descriptors';
import {
  validateArray,
  validateBoolean,
  validateInteger,
  validateOneOf,
  validateOptions,
  validatePid,
  validateString,
} from '../src/validate';

type NodeError = NodeJS.ErrnoException;

function thrown(call: () => unknown): NodeError {
  try {
    call();
  } catch (error) {
    return error as NodeError;
  }
  throw new Error('nothing was thrown');
}

test('a PosixError has the properties of an error of node:fs', () => {
  const path = '/nonexistent';
  const ours = thrown(() => chdir(path));
  const nodes = thrown(() => statSync(path));
  assert.deepEqual(Object.keys(ours), Object.keys(nodes));
  assert.deepEqual({ ...ours, syscall: 'stat' }, { ...nodes });
  assert.equal(
    ours.message,
    nodes.message.replace(`stat '${path}'`, `chdir '${path}'`),
  );
  assert.ok(ours instanceof PosixError && ours instanceof Error);
  assert.equal(String(ours), `PosixError: ${ours.message}`);
});

test('without a path there is none in a PosixError', () => {
  const ours = thrown(() => check(-9, 'close'));
  const nodes = thrown(() => closeSync(999_999));
  assert.deepEqual(Object.keys(ours), Object.keys(nodes));
  assert.deepEqual({ ...ours }, { ...nodes });
  assert.equal(ours.message, nodes.message);
});

test('the name of an error class is on its prototype', () => {
  for (const error of [
    new PosixError(-1, 'setsid'),
    new DaemonError('ERR_DAEMON_ALREADY_DAEMON', {}),
  ]) {
    assert.ok(!Object.hasOwn(error, 'name'));
    assert.equal(error.name, error.constructor.name);
  }
});

test('errors that libuv does not know have their name too', () => {
  for (const [errno, message] of [
    [-10, 'ECHILD: no child processes, waitpid'],
    [-37, 'ENOLCK: no locks available, waitpid'],
    [-8, /^ENOEXEC: exec format error, waitpid$/],
    [-4000, 'Unknown system error -4000: Unknown system error -4000, waitpid'],
  ] as const) {
    assert.throws(() => check(errno, 'waitpid'), { message, errno });
  }
});

test('what is not negative passes the gate', () => {
  assert.equal(check(0, 'fork'), 0);
  assert.equal(check(7, 'fork'), 7);
});

test('a DaemonError carries its details', () => {
  const { code, thread, cause, message } = new DaemonError(
    'ERR_DAEMON_THREAD_NOT_STOPPED',
    { thread: 'stuck' },
    { cause: 'a cause' },
  );
  assert.deepEqual(
    { code, thread, cause },
    {
      code: 'ERR_DAEMON_THREAD_NOT_STOPPED',
      thread: 'stuck',
      cause: 'a cause',
    },
  );
  assert.equal(message, "the thread 'stuck' could not be stopped for the fork");
});

test('each code of ours is in the table', () => {
  assert.ok(
    daemonErrorCodes.every((code) => /^ERR_DAEMON_[A-Z_]+$/.test(code)),
  );
  assert.equal(new Set(daemonErrorCodes).size, daemonErrorCodes.length);
});

test('a wrong type is told in the words of Node', () => {
  for (const value of [
    undefined,
    null,
    'text',
    "it's",
    'a text that is longer than Node would quote',
    true,
    10n,
    Symbol('s'),
    [],
    {},
    Object.create(null),
    new Date(0),
    () => {},
    function named() {},
  ]) {
    const ours = thrown(() => validatePid(value, 'pid'));
    const nodes = thrown(() => setPriority(value as number, 0));
    assert.equal(ours.message, nodes.message);
    assert.equal(ours.code, nodes.code);
    assert.equal(ours.name, nodes.name);
  }
});

test('a number out of range is told in the words of Node', () => {
  for (const value of [1.5, NaN, Infinity, 2 ** 31, -(2 ** 40)]) {
    const ours = thrown(() => validatePid(value, 'pid'));
    const nodes = thrown(() => setPriority(value, 0));
    assert.equal(ours.message, nodes.message);
    assert.equal(ours.code, nodes.code);
    assert.equal(ours.name, nodes.name);
  }
});

test('a wrong value is told in the words of Node', () => {
  const ours = thrown(() => validateString('a\0b', 'path'));
  const nodes = thrown(() => readFileSync('a\0b'));
  assert.equal(
    ours.message,
    nodes.message.replace('a string, Uint8Array, or URL', 'a string'),
  );
  assert.equal(ours.code, nodes.code);
  assert.equal(ours.name, nodes.name);
});

test('a long value is cut in the message', () => {
  const { message } = thrown(() => validateString(`${'x'.repeat(500)}\0`, 'x'));
  assert.ok(message.length < 250);
  assert.ok(message.endsWith('...'));
});

test('a property is no argument', () => {
  assert.throws(() => validateBoolean(1, 'options.nohang'), {
    message:
      'The "options.nohang" property must be of type boolean.' +
      ' Received type number (1)',
  });
  assert.throws(() => validateArray('x', 'argv'), {
    message:
      'The "argv" argument must be an instance of Array.' +
      " Received type string ('x')",
  });
  assert.throws(() => validateOneOf('b', 'options.a', ['a', 1, undefined]), {
    message:
      "The property 'options.a' must be one of: 'a', 1, undefined. Received 'b'",
  });
});

test('an integer has limits', () => {
  validateInteger(3, 'n', 3, 3);
  assert.throws(() => validateInteger(4, 'n', 3, 3), {
    message:
      'The value of "n" is out of range. It must be >= 3 && <= 3. Received 4',
  });
});

test('an unknown option names the nearest known one', () => {
  const known = ['nohang', 'preserveFds', 'cwd'];
  for (const [key, message] of [
    ['noHang', /'options\.noHang' is unknown, did you mean 'nohang'\?/],
    ['preservefd', /is unknown, did you mean 'preserveFds'\?/],
    ['cdw', /did you mean 'cwd'\?/],
    ['xyzzy', /'options\.xyzzy' is unknown\. Received 1$/],
  ] as const) {
    assert.throws(() => validateOptions({ [key]: 1 }, 'options', known), {
      code: 'ERR_INVALID_ARG_VALUE',
      message,
    });
  }
  assert.throws(() => closefrom(9999, { exept: [] } as never), {
    message: /did you mean 'except'\?/,
  });
});
