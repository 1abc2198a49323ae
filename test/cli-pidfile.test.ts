import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Pidfile } from 'posix-daemonize';
import { cli, Place, withPlace } from './helpers/cli';
import { isGone } from './helpers/processes';
import { asNobody, root } from './helpers/scenario';

const command = ['sleep', '1000'];

/** What is at the path before each command; `foreign` lives. */
interface Situation {
  /** Of the PID file. */
  path?: string;
  make: (path: string, foreign: number) => void;
  /** Exit codes of `status`, and of `stop`. */
  asked: readonly [status: number, stop: number];
  /** Exit code of `run` and of `start`, and what both say; none: they start. */
  refused?: readonly [status: number, message: string];
  user?: 'nobody';
}

const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;

const otherBoot = '00000000-0000-4000-8000-000000000000';

const writing = (text: string) => (path: string) => writeFileSync(path, text);

const stale = [1, 7] as const;
const unsafe = (message: string) =>
  ({
    asked: [4, 1],
    refused: [1, `cannot be the PID file: ${message}`],
  }) as const;

const situations: Record<string, Situation> = {
  'of a daemon that was killed': {
    make: writing(`4194303\nstart=1 boot=${otherBoot}\n`),
    asked: stale,
  },
  empty: { make: writing(''), asked: stale },
  garbage: { make: writing('\0\xff not a pid\n'), asked: stale },
  'with a negative pid': { make: writing('-1\n'), asked: stale },
  'with the pid 0': { make: writing('0\n'), asked: stale },
  'with the pid of a process that is not ours': {
    make: (path, foreign) => writeFileSync(path, `${foreign}\n`),
    asked: stale,
  },
  'of run, with a pid that is used again': {
    make: (path, foreign) => {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
      const who = `start=${Number(startOf(foreign)) - 1} boot=${boot.trim()}`;
      writeFileSync(path, `${foreign}\n${who} lock=none\n`);
    },
    asked: stale,
  },
  'of run, from before a reboot': {
    make: (path, foreign) => {
      const who = `start=${startOf(foreign)} boot=${otherBoot}`;
      writeFileSync(path, `${foreign}\n${who} lock=none\n`);
    },
    asked: stale,
  },
  'that is a symbolic link': {
    make: (path, foreign) => {
      writeFileSync(`${path}.real`, `${foreign}\n`);
      symlinkSync(`${path}.real`, path);
    },
    ...unsafe('it is a symbolic link'),
  },
  'that is a directory': {
    path: 'folder',
    make: (path) => mkdirSync(path),
    ...unsafe('it is a directory'),
  },
  'that everybody may write to': {
    make: (path, foreign) => {
      writeFileSync(path, `${foreign}\n`);
      chmodSync(path, 0o666);
    },
    ...unsafe('it may be written by everybody'),
  },
  'in a directory that is missing': {
    path: 'missing/pid',
    make: () => {},
    asked: [3, 7],
    refused: [1, 'ENOENT: no such file or directory, open '],
  },
};

if (root)
  Object.assign(situations, {
    'on a full disk': {
      path: 'full/pid',
      make: (path) => fillDisk(dirname(path)),
      asked: [3, 7],
      refused: [1, 'ENOSPC: no space left on device, write '],
    },
    'in a directory that may not be written to': {
      path: 'roots/pid',
      make: (path) => mkdirSync(dirname(path)),
      user: 'nobody',
      asked: [3, 7],
      refused: [4, 'EACCES: permission denied, open '],
    },
  } satisfies Record<string, Situation>);

for (const [title, situation] of Object.entries(situations)) {
  const { refused } = situation;
  const what = refused ? `refused with ${refused[0]}` : 'taken over';
  test(`a PID file ${title} is ${what} by run and start; status and stop touch nobody`, () =>
    inSituation(situation, async (place, foreign) => {
      const how = situation.user && { through: asNobody };
      const file = ['--pidfile', place.pidfile];
      const codes: (number | null)[] = [];
      for (const action of ['status', 'stop'])
        codes.push((await cli([action, ...file], how)).status);
      assert.deepEqual(codes, situation.asked);

      const described = ['start', '--file', describe(place)];
      const { log } = place;
      for (const args of [
        ['run', ...file, '--stdout', log, '--', ...command],
        described,
      ]) {
        const { status, stderr } = await cli(args, how);
        assert.equal(status, refused?.[0] ?? 0, stderr);
        if (refused) assert.ok(stderr.includes(refused[1]), stderr);
        else {
          assert.equal(Pidfile.holder(place.pidfile), place.pid);
          await place.end();
          rmSync(place.pidfile);
          situation.make(place.pidfile, foreign.pid!);
        }
      }
      assert.ok(!isGone(foreign.pid!), 'another process was hit');
    }));
}

/** In a place of its own, with a process of somebody else. */
function inSituation(
  { path = 'pid', make }: Situation,
  use: (place: Place, foreign: ChildProcess) => Promise<void>,
): Promise<void> {
  return withPlace(async ({ folder }) => {
    chmodSync(folder, 0o755);
    const place = new Place(folder, path);
    const foreign = spawn(command[0]!, command.slice(1), { stdio: 'ignore' });
    const exit = once(foreign, 'exit');
    try {
      make(place.pidfile, foreign.pid!);
      await use(place, foreign);
    } finally {
      if (existsSync(join(folder, 'full')))
        execFileSync('umount', [join(folder, 'full')]);
      // Else what it names would be ended.
      rmSync(place.pidfile, { recursive: true, force: true });
      foreign.kill('SIGKILL');
      await exit;
    }
  });
}

function describe({ folder, pidfile }: Place): string {
  const file = join(folder, 'daemons.json');
  const x = { command, pidfile, log: 'null' };
  writeFileSync(file, JSON.stringify({ daemons: { x } }));
  return file;
}

function fillDisk(folder: string): void {
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', folder]);
  const fill = 'head -c 20000 /dev/zero >"$0" 2>/dev/null || :';
  execFileSync('sh', ['-c', fill, join(folder, 'fill')], { stdio: 'ignore' });
}

const starts = 20;
const rounds = 3;

test(`of ${starts} runs at the same moment one is alive and told 0, the others name it, also after SIGKILL`, () =>
  withPlace(async (place) => {
    for (let round = 0; round < rounds; round++) {
      const all = await Promise.all(
        Array.from({ length: starts }, () => place.run([], command)),
      );
      const { pid } = place;
      assert.equal(Pidfile.holder(place.pidfile), pid);
      const told = all.filter(({ status }) => status !== 0);
      assert.equal(told.length, starts - 1);
      for (const { status, stderr } of told) {
        const message = `posix-daemonize: already running with pid ${pid}, which holds '${place.pidfile}'\n`;
        assert.deepEqual([status, stderr], [1, message]);
      }
      await place.end(); // by SIGKILL
      assert.ok(place.hasPidfile);
    }
  }));
