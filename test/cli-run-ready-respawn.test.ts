import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { barrier } from './helpers/barrier';
import { cli, type Ended, withPlace, type Place } from './helpers/cli';
import { firstLine } from './helpers/pidfile';
import { isGone } from './helpers/processes';
import { needsRoot } from './helpers/scenario';
import { needs } from './helpers/surroundings';

const shell = (script: string): string[] => ['sh', '-c', script];

/** `run --respawn`, with a file for the command's pid. */
function respawn(
  place: Place,
  options: readonly string[],
  script: string,
): Promise<Ended> {
  const own = ['--respawn', '--child-pidfile', `${place.pidfile}.child`];
  return place.run([...own, ...options], shell(script));
}

async function stop(place: Place): Promise<void> {
  const { pid } = place;
  const { status, stderr } = await cli(['stop', '--pidfile', place.pidfile]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(isGone(pid));
}

// Among the first numbers are those of Node's own descriptors.
for (const fd of [3, 5, 14, 40])
  test(`a supervised command is ready by fd:${fd}, writes each line once, and can be stopped`, () =>
    withPlace(async (place) => {
      const script = `echo up >&2; echo >/proc/self/fd/${fd}; readlink /proc/$$/fd/${fd} | cut -d: -f1; exec sleep 1000`;
      const ended = await respawn(place, ['--ready', `fd:${fd}`], script);
      assert.deepEqual([ended.status, ended.stdout], [0, '']);
      await place.says('pipe');
      await stop(place);
      assert.equal(place.said, 'up\npipe\n');
    }));

test(
  'a supervised command is ready by notify, writes each line once, and can be stopped',
  needs(['systemd-notify']),
  () =>
    withPlace(async (place) => {
      const script =
        'echo up >&2; systemd-notify --ready; echo "left with $?"; exec sleep 1000';
      const ended = await respawn(place, ['--ready', 'notify'], script);
      assert.equal(ended.status, 0, ended.stderr);
      await place.says('left with');
      assert.equal(place.said, 'up\nleft with 0\n');
      // Nobody waits for the next one any more, but it is answered.
      const child = Number(firstLine(`${place.pidfile}.child`));
      process.kill(child, 'SIGKILL');
      await place.says(/(left[^]*){2}/);
      const [, , , ...again] = place.said.split('\n');
      assert.deepEqual(again, ['up', 'left with 0', '']);
      await stop(place);
    }),
);

test(
  'the supervisor answers a BARRIER=1 once the launching process has left',
  needs(['python3']),
  () =>
    withPlace(async (place) => {
      const [go, command] = barrier(place.folder);
      const options = ['--respawn', '--ready', 'notify'];
      const ended = await place.run(options, command);
      assert.deepEqual([ended.status, ended.stderr], [0, '']);
      writeFileSync(go, '');
      assert.equal(await place.says('\n'), 'answered\n');
      await stop(place);
    }),
);

for (const [ready, tell, skip] of [
  ['notify', 'systemd-notify --ready --pid=parent', needs(['systemd-notify'])],
  ['fd:3', 'echo >&3', {}],
] as const)
  test(
    `${ready}: the start waits while the policy restarts what ends, and the terminal sees it`,
    skip,
    () =>
      withPlace(async (place) => {
        const first = join(place.folder, 'first');
        const script = `echo cannot bind >&2; mkdir ${first} 2>/dev/null && exit 3; ${tell}; exec sleep 1000`;
        const { status, stderr } = await respawn(
          place,
          ['--ready', ready],
          script,
        );
        assert.equal(status, 0, stderr);
        assert.match(
          stderr,
          /^cannot bind\nposix-daemonize: sh \(pid \d+\) ended with status 3 after .* s, restart 1 in 100 ms\ncannot bind\n$/,
        );
        await stop(place);
      }),
  );

const last = ' before it was ready; the command exited with status 3';
for (const [title, options, status, how] of [
  [
    'whose end is final fails the start with its status',
    ['--no-respawn-codes', '3'],
    3,
    `exited with status 3${last}`,
  ],
  [
    'that is given up fails the start with 69',
    ['--respawn-limit', '2/600', '--respawn-delay', '1ms'],
    69,
    `exited with status 69${last} last, after 2 restarts`,
  ],
  [
    'that is restarted until it is late fails the start with 1',
    ['--respawn-limit', '1/600', '--respawn-delay', '10min'],
    1,
    'was not ready within 2000 ms and was ended; the command exited with status 3',
  ],
] as const)
  test(`a supervised command ${title}, and its own is told`, () =>
    withPlace(async (place) => {
      const longest = ['--respawn-max-delay', '10min'];
      const ended = await cli([
        ...['run', '--pidfile', place.pidfile, '--respawn', ...longest],
        ...['--ready', 'fd:3', '--ready-timeout', '2s', ...options],
        ...['--', ...shell('exit 3')],
      ]);
      assert.equal(ended.status, status, ended.stderr);
      const [told] = ended.stderr.split('\n');
      const plain = told!.replace(/\(pid \d+\) /, '');
      assert.equal(plain, `posix-daemonize: the supervisor ${how}`);
      assert.ok(!place.hasPidfile);
    }));

test('a supervised command that is late and does not hear SIGTERM is killed, after its own time', () =>
  withPlace(async (place) => {
    // Longer than a command without a supervisor would get.
    const times = ['--ready-timeout', '500ms', '--kill-timeout', '5500ms'];
    const script = `trap '' TERM; echo $$ >&2; while :; do sleep 1000; done`;
    const options = ['--ready', 'fd:3', ...times];
    const { status, stderr } = await respawn(place, options, script);
    assert.equal(status, 1);
    assert.match(stderr, /\(pid \d+\) does not end within 5500 ms/);
    assert.ok(isGone(parseInt(stderr, 10)), stderr);
    assert.ok(!place.hasPidfile);
  }));

test(
  'only the launching process writes down how it was started',
  needsRoot,
  () =>
    withPlace(async (place) => {
      const name = `posix-daemonize-test-${process.pid}`;
      const options = ['--name', name, '--respawn', '--user', 'nobody'];
      const started = await cli(
        [
          ...['run', ...options, '--stdout', place.log],
          ...['--', ...shell('echo up; exec sleep 1000')],
        ],
        { cwd: place.folder },
      );
      assert.equal(started.status, 0, started.stderr);
      await place.says('up');
      const record = `/run/${name}.run.json`;
      const text = readFileSync(record, 'utf8');
      assert.equal((JSON.parse(text) as { cwd: string }).cwd, place.folder);
      assert.equal((await cli(['stop', name])).status, 0);
      // Its user may not write there, and would have said so.
      assert.doesNotMatch(place.said, /cannot be restarted by its name/);
      for (const file of ['pid', 'child.pid', 'run.json', 'state'])
        rmSync(`/run/${name}.${file}`, { force: true });
    }),
);
