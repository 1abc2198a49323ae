import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

const root = join(__dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!.trim());

// Inside the package, so that the examples find it by its name.
mkdirSync(join(root, 'build'), { recursive: true });
const folder = mkdtempSync(join(root, 'build/readme-'));
after(() => rmSync(folder, { recursive: true }));

function runExample(name: string, text: string, ...args: string[]) {
  const file = join(folder, name);
  writeFileSync(file, text.replaceAll('/tmp/', `${folder}/`));
  return spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function until<T>(look: () => T | undefined): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < end, 'it did not happen in time');
    await setImmediate();
  }
}

test('the first example leaves the terminal and goes on in its log', async () => {
  const { status, stdout, stderr } = runExample('clock.mjs', blocks('js')[0]!);
  assert.deepEqual(
    { status, stdout, stderr },
    { status: 0, stdout: 'in the terminal\n', stderr: '' },
  );
  const log = (): string => readFileSync(join(folder, 'clock.log'), 'utf8');
  const pid = await until(() => /as process (\d+)\n/.exec(log())?.[1]);
  try {
    await until(() => /\n\d{4}-\d\d-\d\dT[\d:.]+Z\n/.exec(log()) ?? undefined);
    const line = spawnSync('ps', ['-o', 'tty=,args=', '-p', pid]).stdout;
    assert.match(String(line), /^\?\s.*clock\.mjs\n$/);
  } finally {
    process.kill(Number(pid), 'SIGKILL');
  }
});

test('the example of readiness serves, and a second one tells the shell why not', async () => {
  const port = await freePort();
  const source = blocks('js')[1]!.replace('8080', String(port));
  const first = runExample('hello.mjs', source);
  assert.deepEqual([first.status, first.stderr], [0, '']);
  const [pid = ''] = String(
    spawnSync('pgrep', ['-f', join(folder, 'hello.mjs')]).stdout,
  ).split('\n');
  try {
    const response = await fetch(`http://localhost:${port}`);
    assert.equal(await response.text(), 'hello\n');
    const second = runExample('hello.mjs', source);
    assert.equal(second.status, 1);
    assert.match(
      second.stderr,
      /^posix-daemonize: listen EADDRINUSE: address already in use \S+:\d+\n$/,
    );
  } finally {
    process.kill(Number(pid));
  }
});

test('the example of Daemon starts, tells its state, starts again and stops', () => {
  const clock = (command: string) => {
    const text = blocks('js')[2]!;
    const result = runExample('clock-daemon.mjs', text, command);
    return [result.status, result.stdout, result.stderr];
  };
  assert.deepEqual(clock('start'), [0, '', '']);
  try {
    assert.deepEqual(clock('status'), [0, 'running\n', '']);
    assert.equal(clock('start')[0], 1);
    assert.deepEqual(clock('restart'), [0, '', '']);
  } finally {
    assert.deepEqual(clock('stop'), [0, '', '']);
  }
  assert.deepEqual(clock('status'), [0, 'stopped\n', '']);
});

test('the commands for any program do what they say', () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(join(root, 'lib/cli.js'), join(bin, 'posix-daemonize'));
  const isRoot = process.getuid!() === 0;
  const ownPlaces = 'mount -t tmpfs none /run; mount -t tmpfs none /var/log; ';
  const shell = isRoot ? ['unshare', '--mount', 'sh', '-ec'] : ['sh', '-ec'];
  const commands = blocks('sh').at(-1)!.split('\n');
  // The first line of the log is there a moment after the start.
  commands.splice(
    2,
    0,
    'until posix-daemonize logs clock | grep -q :; do :; done',
  );
  const script = (isRoot ? ownPlaces : '') + commands.join('\n');
  const { status, stdout, stderr } = spawnSync(
    shell[0]!,
    [...shell.slice(1), script],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        PATH: `${bin}:${process.env.PATH}`,
        XDG_RUNTIME_DIR: folder,
        XDG_STATE_HOME: folder,
      },
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /\bclock +running +\d+ [^]*\d\d:\d\d:\d\d/);
});

test('the example of fork() prints what it says', () => {
  const { status, stdout } = runExample('fork.mjs', blocks('js')[3]!);
  assert.match(stdout, /^\{ pid: \d+, exitCode: 7, signal: null \}\n$/);
  assert.equal(status, 0);
});

test('`npm run demo` shows a daemon and leaves none', () => {
  const { status, stdout } = spawnSync('npm', ['run', 'demo'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /the shell is back, status 0/);
  const [, pid, ppid, pgid, sid, tty] =
    /STAT COMMAND\n\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/.exec(stdout)!;
  assert.notEqual(pid, sid, 'it leads its session');
  assert.equal(pgid, sid);
  assert.notEqual(ppid, String(process.pid));
  assert.equal(tty, '?');
  assert.match(stdout, /\n2: \d{4}-[^\n]*\n[^]*the daemon is gone\n$/);
});

test('the README has no other commands than those that are run', () => {
  // The gate runs the second, the tests of the package the third.
  const [demo, tests, install, ...others] = blocks('sh');
  assert.deepEqual(
    [demo, tests, install],
    [
      'npm ci && npm run demo',
      'npm ci && npm test',
      'npm install posix-daemonize',
    ],
  );
  assert.equal(others.length, 1); // run above
});
