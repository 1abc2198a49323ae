import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodeOf, exitCodes, statusCodes } from '../src/cli/exit-codes';
import { asFailure, UsageError } from '../src/cli/failure';
import { placesOf } from '../src/cli/places';
import { program } from '../src/cli/program';
import { duration, signal } from '../src/cli/run/values';
import { PosixError } from '../src/errors';
import { cli, cliPath } from './helpers/cli';

const commands = program
  .createHelp()
  .visibleCommands(program)
  .map((command) => command.name());

test('without a command the help is on stderr, and the status is 2', async () => {
  const { status, stdout, stderr } = await cli([]);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^Usage: posix-daemonize/);
  for (const name of commands)
    assert.match(stderr, new RegExp(`^  ${name}[ |]`, 'm'));
});

test('help ends quietly where nobody reads it, with the status of SIGPIPE', async () => {
  const child = spawn(process.execPath, [cliPath, '--help'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.destroy();
  assert.deepEqual(await once(child, 'exit'), [141, null]);
});

test('--version prints that of the package', async () => {
  const path = join(__dirname, '../package.json');
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as {
    version: string;
  };
  const { status, stdout, stderr } = await cli(['--version']);
  assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, '']);
});

for (const name of commands)
  test(`${name} --help is on stdout`, async () => {
    const { status, stdout, stderr } = await cli([name, '--help']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, new RegExp(`^Usage: posix-daemonize ${name}`));
  });

for (const [args, message] of [
  [['rnu'], "unknown command 'rnu'\n(Did you mean run?)"],
  [['--hlep'], "unknown option '--hlep'\n(Did you mean --help?)"],
  [['run'], "missing required argument 'command'"],
  [['run', '--umsk', '0'], "unknown option '--umsk'\n(Did you mean --umask?)"],
  [
    ['run', '--umask', '9', 'true'],
    "option '--umask <mode>' argument '9' is invalid. It must be octal, as 027 is.",
  ],
  [
    ['run', '--ready', 'fd:1', 'true'],
    "option '--ready <event>' argument 'fd:1' is invalid. It must be 'exec', 'notify' or 'fd:N' with a descriptor N above 2.",
  ],
  ...['10', '1.5', '10 s', '10d', 's', ''].map(
    (text) =>
      [
        ['stop', '--kill-timeout', text, 'web'],
        `option '--kill-timeout <time>' argument '${text}' is invalid. It must be a number with its unit, ms, s, m or h, as 500ms or 30s; or infinity.`,
      ] as const,
  ),
  [
    ['run', '--ready-timeout', '597h', 'true'],
    "option '--ready-timeout <time>' argument '597h' is invalid. It must be between 1ms and 596h.",
  ],
  [
    ['run', '--foreground', '--detach', 'true'],
    "option '--foreground' cannot be used with option '--detach'",
  ],
  [
    ['run', '--user', 'nobody-of-this-name', 'true'],
    "--user must be a user of this machine: no such user. Received 'nobody-of-this-name'",
  ],
  [
    ['run', '--name', '../etc', 'true'],
    "'../etc' cannot be the name of a daemon\n  a name has letters, digits and _ @ % + : , . - in it, 100 at most, and begins with none of the last two",
  ],
  [
    ['run', '--preserve-fds', '77', 'true'],
    '--preserve-fds: descriptor 77 is not open\n  open it in the shell, as 77<FILE does',
  ],
  [
    ['run', '--env', 'A=B', 'true'],
    "option '--env <names>' argument 'A=B' is invalid. It must be names of variables to keep, as PATH,HOME; --set-env sets one.",
  ],
  [
    ['run', '--stdout', '77', 'true'],
    '--stdout: descriptor 77 is not open\n  open it in the shell, as 77<FILE does',
  ],
  [
    ['stop', '--signal', '65', 'web'],
    "option '--signal <signal>' argument '65' is invalid. It must be a signal by name or number, as TERM, SIGTERM or 15.",
  ],
] as const)
  test(`posix-daemonize ${args.join(' ')}: status 2, and why`, async () => {
    const { status, stdout, stderr } = await cli(args);
    assert.deepEqual(
      [status, stdout, stderr],
      [2, '', `posix-daemonize: ${message}\n`],
    );
  });

test('colours come with FORCE_COLOR, and not with NO_COLOR or in a pipe', async () => {
  const none = { NO_COLOR: undefined, FORCE_COLOR: undefined };
  const red = '\x1b[31m';
  for (const [env, coloured] of [
    [none, false],
    [{ ...none, FORCE_COLOR: '1' }, true],
    [{ ...none, FORCE_COLOR: '0' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ] as const) {
    const { stderr } = await cli(['rnu'], { env });
    assert.equal(stderr.includes(red), coloured, JSON.stringify(env));
  }
});

test('the errors of the system and of the library have LSB exit codes', () => {
  const posix = (errno: number) => exitCodeOf(new PosixError(errno, 'open'));
  assert.deepEqual([posix(-13), posix(-1), posix(-2)], [4, 4, 1]);
  assert.equal(exitCodeOf({ code: 'ERR_INVALID_ARG_VALUE' }), 2);
  assert.equal(exitCodeOf({ code: 'ERR_DAEMON_NOT_RUNNING' }), 7);
  assert.equal(exitCodeOf(undefined), 1);
  assert.deepEqual(Object.values(exitCodes), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(Object.values(statusCodes), [0, 1, 3, 4]);
});

test('a signal has a name or a number', () => {
  for (const text of ['9', 'KILL', 'kill', 'SIGKILL', 'sigkill'])
    assert.equal(signal(text), 'SIGKILL');
  assert.equal(signal('34'), 'SIGRTMIN');
  assert.equal(signal('rtmin+1'), 'SIGRTMIN+1');
});

test('help is that of the program, and of a command', async () => {
  for (const name of ['', 'stop', 'run']) {
    const asked = await cli(['help', name].filter(Boolean));
    assert.deepEqual(asked, await cli([name, '--help'].filter(Boolean)));
    assert.equal(asked.status, 0);
  }
});

test('a time has its unit', () => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['infinity', Infinity],
  ] as const)
    assert.equal(duration(text), ms);
});

test('an error of an option names the flag', () => {
  const error = new TypeError(
    'The "options.preserveFds[0]" property must be of type number.',
  );
  assert.equal(
    asFailure(error).message,
    '--preserve-fds must be of type number.',
  );
});

test('a name has places, and cannot lead out of them', () => {
  const { pidfile, log } = placesOf('web.1@host');
  if (process.geteuid!() === 0)
    assert.deepEqual(
      [pidfile, log],
      ['/run/web.1@host.pid', '/var/log/web.1@host.log'],
    );
  for (const name of [
    '',
    '.',
    '..',
    '-x',
    'a/b',
    'a\nb',
    'a b',
    'a'.repeat(101),
  ])
    assert.throws(() => placesOf(name), UsageError, name);
});
