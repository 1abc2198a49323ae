// Supervisors of one and the same program: their memory, and the time from
// kill -9 of the program to the first line of its next run.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environment, program, round, summarize } from './sample.mjs';

const here = import.meta.dirname;
const cli = fileURLToPath(new URL('../lib/cli.js', import.meta.url));
const installed = (path) => join(here, 'node_modules', path);

/** ms: everybody restarts at once, as far as it lets itself be told. */
const delay = 1;
const deadline = 30_000;

/** `start` leaves the program running with its lines in `log`. */
const supervisors = [
  {
    name: 'posix-daemonize run --respawn',
    start: ({ log, pidfile }) => [
      ...[cli, 'run', '--pidfile', pidfile, '--stdout', log, '--respawn'],
      ...['--respawn-delay', `${delay}ms`, '--respawn-max-delay', `${delay}ms`],
      ...['--', program('line.sh')],
    ],
    pid: ({ pidfile }) => numberIn(pidfile),
    stop: ({ pid }) => process.kill(pid, 'SIGTERM'),
  },
  {
    name: 'pm2',
    start: ({ log }) => [
      ...[installed('pm2/bin/pm2'), 'start', program('line.sh')],
      ...['--interpreter', 'none', '--restart-delay', `${delay}`],
      ...['--output', log, '--error', log],
    ],
    pid: ({ home }) => numberIn(join(home, 'pm2.pid')),
    stop: ({ env }) =>
      execFileSync(process.execPath, [installed('pm2/bin/pm2'), 'kill'], {
        env,
        stdio: 'ignore',
      }),
  },
  {
    name: 'forever',
    start: ({ log, pidfile, home }) => [
      ...[installed('forever/bin/forever'), 'start', '-c', '/bin/sh', '-a'],
      ...['-p', home, '--minUptime', '1', '--spinSleepTime', `${delay}`],
      ...['--pidFile', pidfile, '-l', join(home, 'own.log'), '-o', log],
      program('line.sh'),
    ],
    pid: async ({ log }) => parentOf((await linesOf(log, 1)).at(-1)),
    stop: ({ pid }) => process.kill(pid, 'SIGKILL'),
  },
];

/** @param {number} rounds how often each program is killed */
export async function measureSupervisors(rounds) {
  const rows = [];
  for (const supervisor of supervisors)
    rows.push(await measure(supervisor, rounds));
  const [own] = rows;
  return rows.map((row) => ({
    ...row,
    ratio: {
      rss: round(row.rss / own.rss),
      pss: round(row.pss / own.pss),
      restart: round(row.restart.median / own.restart.median),
    },
  }));
}

async function measure({ name, start, pid, stop }, rounds) {
  const home = mkdtempSync(join(tmpdir(), 'supervisor-'));
  const place = {
    home,
    log: join(home, 'log'),
    pidfile: join(home, 'pid'),
    env: { ...environment, HOME: home, PM2_HOME: home, FOREVER_ROOT: home },
  };
  await promisify(execFile)(process.execPath, start(place), { env: place.env });
  let supervisor;
  try {
    await linesOf(place.log, 1);
    supervisor = await pid(place);
    const times = [];
    for (let done = 1; done <= rounds; done++)
      times.push(await restart(place.log, done));
    const restarts = summarize(times);
    return { name, ...memoryOf(supervisor), restart: restarts };
  } finally {
    stop({ ...place, pid: supervisor });
    await until(() => !isAlive(supervisor));
    endAll(await linesOf(place.log, 1));
    rmSync(home, { recursive: true, maxRetries: 5 });
  }
}

async function restart(log, lines) {
  const pid = Number((await linesOf(log, lines)).at(-1));
  const begin = performance.now();
  process.kill(pid, 'SIGKILL');
  await linesOf(log, lines + 1);
  return performance.now() - begin;
}

/** Not every supervisor takes its program along. */
function endAll(pids) {
  for (const pid of pids.map(Number))
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** Once there are so many. */
async function linesOf(log, count) {
  const read = () =>
    existsSync(log) ? readFileSync(log, 'utf8').match(/^\d+$/gm) : null;
  await until(() => (read()?.length ?? 0) >= count);
  return read();
}

async function until(condition) {
  for (const end = Date.now() + deadline; !condition(); await sleep(0.2))
    if (Date.now() > end)
      throw new Error(`waited ${deadline} ms: ${condition}`);
}

/** MB, of itself and in shares of what others have too. */
function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name) =>
    round(Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]) / 1024);
  return { rss: of('Rss'), pss: of('Pss') };
}

function parentOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function isAlive(pid) {
  try {
    return !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const numberIn = (path) => Number.parseInt(readFileSync(path, 'utf8'), 10);
