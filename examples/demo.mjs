// `npm run demo`: runs the clock, looks at it from outside, and stops it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const clock = fileURLToPath(new URL('clock.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'posix-daemonize-'));
const log = join(folder, 'clock.log');
const greeting = /with pid (\d+)/;
const readLog = () => readFileSync(log, 'utf8');

function show(command, ...args) {
  console.log(`\n$ ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit' }).status;
}

async function until(condition, milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms`);
    await delay(20);
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const status = show(process.execPath, clock, log);
console.log(`the shell is back, status ${status}`);
if (status !== 0) process.exit(1);

await until(() => greeting.test(readLog()));
const pid = Number(greeting.exec(readLog())[1]);
try {
  show('ps', '-o', 'pid,ppid,pgid,sid,tty,stat,args', '-p', String(pid));
  await until(() => readLog().split('\n').length > 4);
  show('tail', '-n', '4', log);
} finally {
  console.log(`\n$ kill ${pid}`);
  process.kill(pid);
}
await until(() => !isAlive(pid));
console.log('the daemon is gone');
rmSync(folder, { recursive: true });
