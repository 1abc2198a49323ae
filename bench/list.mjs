// How long it takes to show how daemons are: one, and a hundred, beside pm2
// with as many.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, interleave, round, summarize } from './sample.mjs';

const here = import.meta.dirname;
const { execPath } = process;
const cli = join(here, '../lib/cli.js');
const pm2 = join(here, 'node_modules/pm2/bin/pm2');

/** Programs that run. */
const count = 100;

const names = Array.from({ length: count }, (_, index) => `bench-${index}`);

const rows = [
  { name: 'node -e 0', command: ['-e', '0'] },
  { name: 'posix-daemonize status, 1', command: [cli, 'status', names[0]] },
  {
    name: `posix-daemonize list, ${count}`,
    command: [cli, 'list', ...names],
  },
  { name: `pm2 ls, ${count}`, command: [pm2, 'ls'] },
];

/** @param {number} rounds */
export async function measureList(rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-list-'));
  const run = (command) => {
    const begin = performance.now();
    execFileSync(execPath, command, {
      cwd: folder,
      env: { ...environment, PM2_HOME: join(folder, 'pm2') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return performance.now() - begin;
  };
  try {
    describe(folder);
    run([cli, 'start']);
    run([pm2, 'start', '--silent', join(folder, 'pm2.json')]);
    const samples = await interleave(rounds, rows, ({ command }) =>
      run(command),
    );
    return tabulate(samples);
  } finally {
    run([pm2, 'kill', '--silent']);
    run([cli, 'stop']);
    rmSync(folder, { recursive: true });
  }
}

/** The same programs for both. */
function describe(folder) {
  const save = (file, content) =>
    writeFileSync(join(folder, file), JSON.stringify(content));
  const own = (name) => ({
    command: 'sleep infinity',
    pidfile: `${name}.pid`,
    log: 'null',
  });
  const daemons = names.map((name) => [name, own(name)]);
  save('daemons.json', { daemons: Object.fromEntries(daemons) });
  const apps = names.map((name) => ({
    name,
    script: '/bin/sleep',
    args: 'infinity',
    interpreter: 'none',
    exec_mode: 'fork',
  }));
  save('pm2.json', { apps });
}

function tabulate(samples) {
  const all = rows.map(({ name }) => ({
    name,
    ...summarize(samples.get(name)),
  }));
  const [node, , , other] = all;
  return all.map((row) => ({
    ...row,
    /** ms more than Node.js takes to do nothing */
    more: round(row.median - node.median),
    ratio: round(row.median / other.median),
  }));
}
