// Runs every measurement and writes results.json, table.md and plot.svg, and
// the table into bench/README.md.
//
// usage: index.mjs [--quick FOLDER]
//
// --quick: few rounds, to see that it works. The results go into FOLDER, and
// bench/README.md stays as it is.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { buildEnvironment } from '../scripts/headers.mjs';
import { measureFork } from './fork.mjs';
import { measureImport } from './import.mjs';
import { measureLaunch } from './launch.mjs';
import { measureList } from './list.mjs';
import { plot } from './plot.mjs';
import { output } from './sample.mjs';
import { measureSupervisors } from './supervisor.mjs';
import { measureSyslog } from './syslog.mjs';
import { tabulate } from './table.mjs';

const here = import.meta.dirname;
const [quick, folder] = process.argv.slice(2);
const rounds =
  quick === '--quick'
    ? { launch: 2, fork: 1, syslog: 1, stopped: 1, kill: 2, list: 1 }
    : { launch: 25, fork: 15, syslog: 15, stopped: 3, kill: 25, list: 25 };
const target = quick === '--quick' ? folder : join(here, 'results');

/** ms, for the second table of launches */
const imports = 300;

/** A flood of messages, and how long they go to a log daemon that is stopped. */
const flood =
  quick === '--quick'
    ? { messages: 2000, seconds: 0.5 }
    : { messages: 50_000, seconds: 10 };

install();

const results = {
  machine: {
    cpu: cpus()[0].model,
    cores: cpus().length,
    kernel: release().match(/^\d+\.\d+/)[0],
    node: process.versions.node,
    python: output('python3', [
      '-c',
      'import platform; print(platform.python_version())',
    ]).trim(),
    rounds,
    imports,
    flood,
  },
  launch: await measureLaunch(rounds.launch, 0),
  launchImports: await measureLaunch(rounds.launch, imports),
  imports: await measureImport(rounds.launch),
  fork: await measureFork(rounds.fork),
  syslog: await measureSyslog(rounds, flood),
  supervisors: await measureSupervisors(rounds.kill),
  list: await measureList(rounds.list),
};

const table = tabulate(results);
mkdirSync(target, { recursive: true });
await save(join(target, 'results.json'), JSON.stringify(results));
await save(join(target, 'table.md'), table);
writeFileSync(join(target, 'plot.svg'), plot(results));
if (quick !== '--quick') await updateReadme();
console.log(table);

/** Two of the packages compile themselves. */
function install() {
  const { dependencies } = JSON.parse(
    readFileSync(join(here, 'package.json'), 'utf8'),
  );
  const isThere = (name) => existsSync(join(here, 'node_modules', name));
  if (Object.keys(dependencies).every(isThere)) return;
  execFileSync('npm', ['ci'], {
    cwd: here, // with --prefix npm would not read the machine's settings
    stdio: 'inherit',
    env: buildEnvironment(),
  });
}

async function updateReadme() {
  const file = join(here, 'README.md');
  const between = /(?<=<!-- results -->\n).*(?=<!-- end of results -->)/s;
  const text = readFileSync(file, 'utf8');
  await save(
    file,
    text.replace(between, () => `${table}\n`),
  );
}

/** As `npm run lint` wants it. */
async function save(file, content) {
  const options = { ...(await resolveConfig(file)), filepath: file };
  writeFileSync(file, await format(content, options));
}
