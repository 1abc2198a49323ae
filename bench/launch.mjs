// How long a launch takes: until the first line of the daemon is read, and
// until the launching process is gone and the shell goes on.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  environment,
  interleave,
  output,
  program,
  round,
  summarize,
} from './sample.mjs';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const { execPath } = process;

/** ms: a program that brings no line is broken */
const patience = 30_000;

// What `python3` leads to may be a script that looks for the real one.
const python = output('python3', ['-c', 'import sys; print(sys.executable)']);

const rows = [
  { name: 'node -e 0', command: [execPath, '-e', '0'], silent: true },
  {
    name: 'no daemon',
    command: [execPath, program('foreground.cjs')],
  },
  {
    name: 'posix-daemonize, require',
    command: [execPath, program('posix-daemonize.cjs')],
  },
  {
    name: 'posix-daemonize, import',
    command: [execPath, program('posix-daemonize.mjs')],
  },
  {
    name: 'daemonize-process',
    command: [execPath, program('daemonize-process.mjs')],
  },
  { name: 'daemon', command: [execPath, program('daemon.cjs')] },
  {
    name: 'detached spawn',
    command: [execPath, program('detached-spawn.cjs')],
  },
  {
    name: 'setsid --fork',
    command: ['setsid', '--fork', execPath, program('foreground.cjs')],
  },
  {
    name: 'Python double fork',
    command: [python.trim(), '-B', program('double_fork.py')],
  },
];

/**
 * @param {number} rounds
 * @param {number} imports ms of imports before the program becomes a daemon
 */
export async function measureLaunch(rounds, imports) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-launch-'));
  const fifo = join(folder, 'fifo');
  const env = {
    ...environment,
    BENCH_FIFO: fifo,
    ...(imports > 0 && { BENCH_IMPORTS: String(imports) }),
  };
  try {
    execFileSync('mkfifo', [fifo]);
    const samples = await interleave(rounds, rows, (row) =>
      row.silent ? time(row, env) : timeWithLine(row, env, fifo),
    );
    return tabulate(samples);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function time({ name, command: [file, ...args] }, env, line) {
  const signal = AbortSignal.timeout(patience);
  const begin = performance.now();
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 2] });
  const passed = () => performance.now() - begin;
  const [shell, firstLine] = await Promise.all([
    once(child, 'exit', { signal }).then(passed),
    line && once(line, 'data', { signal }).then(passed),
  ]);
  if (child.exitCode !== 0) throw new Error(`${name}: ${child.exitCode}`);
  return { shell, firstLine };
}

/** The daemon keeps the FIFO open, so that its end is known too. */
async function timeWithLine(row, env, fifo) {
  const line = new Socket({ fd: openSync(fifo, O_RDONLY | O_NONBLOCK) });
  const untilDaemon = openSync(fifo, O_WRONLY);
  const times = await time(row, env, line);
  const end = once(line, 'close');
  closeSync(untilDaemon);
  await end;
  return times;
}

function tabulate(samples) {
  const of = (name, which) =>
    summarize(samples.get(name).map((sample) => sample[which]));
  const unit = of('node -e 0', 'shell').median;
  const withRatio = (summary) => ({
    ...summary,
    ratio: round(summary.median / unit),
  });
  return rows.map(({ name, silent }) => ({
    name,
    shell: withRatio(of(name, 'shell')),
    ...(!silent && { firstLine: withRatio(of(name, 'firstLine')) }),
  }));
}
