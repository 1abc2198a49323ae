import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cliPath, type Place, runToEnd, withPlace } from './helpers/cli';
import { isAlive } from './helpers/launchers';
import { needsRoot, until } from './helpers/scenario';
import { needs } from './helpers/surroundings';

const root = join(__dirname, '..');
const terminal = ['python3', join(__dirname, 'helpers/terminal.py')];
const start = join(root, 'examples/start.sh');

/** Keeps its output, as a program does whose stdout is no terminal. */
const python = `import signal
print('up')
signal.pause()
`;

/** A line, and then nothing, from a program that uses stdio. */
const shell = `#!/bin/sh
mkfifo "$0.fifo"
exec 3<>"$0.fifo"
echo up >&3
exec sed -n p <&3
`;

const node = `console.log('up');
setInterval(() => {}, 1e6);
`;

/** The environment of start.sh. */
const environment = ({ pidfile, log }: Place): Record<string, string> => ({
  POSIX_DAEMONIZE: cliPath,
  PIDFILE: pidfile,
  LOG: log,
});

/** Runs a line of sh on a terminal that is closed when the shell ends, as by ssh. */
function onTerminal(line: string, args: readonly string[], env: object) {
  return spawnSync(
    terminal[0]!,
    [terminal[1]!, '--hangup-after-exit', 'sh', '-c', line, '-', ...args],
    { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 30_000 },
  );
}

describe('examples/start.sh on a terminal that closes', () => {
  for (const [kind, command, name, source] of [
    ['Python', ['python3'], 'start.py', python],
    ['shell', ['sh'], 'start', shell],
    ['Node.js', [process.execPath], 'start.cjs', node],
  ] as const)
    test(
      `a ${kind} program goes on, and its lines are in the log at once`,
      needs(['python3']),
      () =>
        withPlace(async (place) => {
          const program = join(place.folder, name);
          writeFileSync(program, source);
          const { status, stdout } = onTerminal(
            '"$@"',
            [start, ...command, program],
            environment(place),
          );
          assert.deepEqual([status, stdout], [0, '']);
          await place.says('up\n');
          assert.ok(isAlive(place.pid));
          const line = spawnSync('ps', ['-o', 'tty=', '-p', String(place.pid)]);
          assert.equal(String(line.stdout), '?\n');
        }),
    );

  test('a program that is missing: the terminal is told', () =>
    withPlace((place) => {
      const { status, stdout } = onTerminal(
        '"$@"',
        [start, '/opt/no-such.py'],
        environment(place),
      );
      assert.equal(status, 5);
      assert.match(stdout, /no such command: '\/opt\/no-such\.py'/);
      return Promise.resolve();
    }));

  test('nohup: a Node.js program ends with the terminal, beside one by run', () =>
    withPlace(async (place) => {
      const program = join(place.folder, 'start.cjs');
      writeFileSync(
        program,
        `require('node:fs').writeFileSync(process.argv[2], process.pid + '\\n');
setInterval(() => {}, 1e6);`,
      );
      const fifo = join(place.folder, 'fifo');
      // The shell leaves once both are up.
      const line = `mkfifo "$1"; nohup "$2" "$3" "$1" >/dev/null 2>&1 &
        read -r lost <"$1"; echo "$lost"; "$4" "$2" "$3" "$5"`;
      const { status, stdout } = onTerminal(
        line.replace('mkfifo "$1"; nohup', 'mkfifo "$1"\nnohup'),
        [fifo, process.execPath, program, start, join(place.folder, 'own')],
        environment(place),
      );
      assert.equal(status, 0, stdout);
      const lost = parseInt(stdout, 10);
      assert.ok(lost > 1, stdout);
      await until('the end of what nohup started', () => !isAlive(lost));
      await until('the other one', () => existsSync(join(place.folder, 'own')));
      assert.ok(isAlive(place.pid));
    }));
});

describe('docs/command-line.md', () => {
  const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
  const examples = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(
    ([, example]) => example!,
  );

  test('its examples run', needsRoot, () =>
    withPlace(async (place) => {
      assert.equal(examples.length, 2);
      for (const [example, name] of [
        [examples[0]!, 'clock'],
        [examples[1]!, 'api'],
      ] as const) {
        // The same command, with a name that nobody else has.
        const own = `test-${process.pid}-${name}`;
        const script = example
          .replace('posix-daemonize', cliPath)
          .replace(`--name ${name}`, `--name ${own} --pidfile ${place.pidfile}`)
          .replace(' -- ', ` --stdout ${place.log} -- `);
        const ended = await runToEnd(['sh', '-c', script]);
        assert.equal(ended.status, 0, ended.stderr);
        assert.ok(isAlive(place.pid));
        await place.says(name === 'clock' ? /:\d\d/ : 'opening the database\n');
        await place.end();
        rmSync(`/run/${own}.run.json`);
      }
    }),
  );
});
