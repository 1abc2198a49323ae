import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { cli, type Site, withSite } from './helpers/site';
import { needsRoot, until } from './helpers/scenario';

const command = ['sleep', '1000'];

/** Lines with these numbers. */
const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join(
    '',
  );

class Follower {
  text = '';
  stderr = '';
  readonly child: ChildProcess;

  /** @param through a command that runs the one that follows it */
  constructor(
    site: Site,
    args: readonly string[] = [],
    through: readonly string[] = [],
  ) {
    const words = [...through, process.execPath, cli, 'logs', '-f', ...args];
    this.child = spawn(words[0]!, words.slice(1), {
      cwd: site.folder,
      env: site.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.on(
      'data',
      (data: Buffer) => (this.text += data.toString()),
    );
    this.child.stderr!.on(
      'data',
      (data: Buffer) => (this.stderr += data.toString()),
    );
  }

  async shows(text: string): Promise<void> {
    try {
      await until('the text', () => this.text === text);
    } catch (cause) {
      const seen = JSON.stringify(this.text) + this.stderr;
      throw new Error(`it shows ${seen}, not ${JSON.stringify(text)}`, {
        cause,
      });
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await exit;
  }
}

function following(
  use: (log: string, follower: Follower, site: Site) => Promise<void>,
  before = numbered(1, 3),
  through: readonly string[] = [],
): Promise<void> {
  return withSite(async (site) => {
    chmodSync(site.folder, 0o755);
    site.describe({ a: { command } });
    const log = site.path('a.log');
    if (before !== '') appendFileSync(log, before);
    const follower = new Follower(site, ['a'], through);
    try {
      await follower.shows(before);
      await use(log, follower, site);
    } finally {
      await follower.end();
    }
  });
}

test('logs shows the last lines of a file, however it ends', () =>
  withSite((site) => {
    site.describe({ a: { command } });
    const log = site.path('a.log');
    const shown = (...args: string[]): string =>
      site.run('logs', 'a', ...args).stdout;
    const missing = site.run('logs', 'a');
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /a\.log is not there yet\n$/);
    appendFileSync(log, '');
    assert.equal(shown(), '');
    appendFileSync(log, numbered(1, 30));
    assert.equal(shown(), numbered(21, 30));
    assert.equal(shown('-n', '1'), 'line 30\n');
    assert.equal(shown('-n', '0'), '');
    assert.equal(shown('-n', '30'), numbered(1, 30));
    assert.equal(shown('-n', '31'), numbered(1, 30));
    appendFileSync(log, 'unfinished');
    assert.equal(shown('-n', '2'), 'line 30\nunfinished');
    // More than is read at once, and a line that is longer than that.
    appendFileSync(log, `${'x'.repeat(200_000)}\n${numbered(31, 20_000)}`);
    assert.equal(shown('-n', '15000'), numbered(5001, 20_000));
    assert.equal(
      shown('-n', '19971').length,
      200_011 + numbered(31, 20_000).length,
    );
  }));

test('logs -f loses no line when the file is renamed and made anew three times', () =>
  following(async (log, follower) => {
    let last = 3;
    for (const round of [1, 2, 3]) {
      // The writer goes on in the old file for a while.
      appendFileSync(log, numbered(last + 1, last + 1));
      if (round > 1) renameSync(`${log}.1`, `${log}.${round}`);
      renameSync(log, `${log}.1`);
      appendFileSync(`${log}.1`, numbered(last + 2, last + 2));
      appendFileSync(log, numbered(last + 3, last + 3));
      last += 3;
      await follower.shows(numbered(1, last));
    }
    // All of it again, before anybody can have looked.
    renameSync(`${log}.1`, `${log}.9`);
    for (const round of [10, 11, 12]) {
      appendFileSync(log, numbered(last + 1, last + 1));
      renameSync(log, `${log}.${round}`);
      last += 1;
    }
    appendFileSync(log, numbered(last + 1, last + 1));
    await follower.shows(numbered(1, last + 1));
  }));

test('logs -f loses no line when the file is emptied behind a copy', () =>
  following(async (log, follower) => {
    for (const round of [1, 2, 3]) {
      const last = round * 3;
      appendFileSync(log, numbered(last + 1, last + 1));
      copyFileSync(log, `${log}.${round}`);
      truncateSync(log);
      appendFileSync(log, numbered(last + 2, last + 3));
      await follower.shows(numbered(1, last + 3));
    }
  }));

test(
  'logs -f passes by a file of another name, and an older one that it may not read',
  needsRoot,
  () =>
    following(
      async (log, follower) => {
        const secret = (path: string): void =>
          writeFileSync(path, 'secret\n', { mode: 0o600 });
        writeFileSync(`${log}.backup-of-something-else`, 'OTHER\n');
        secret(`${log}.bak`);
        secret(`${log}.2`);
        renameSync(log, `${log}.1`);
        appendFileSync(log, numbered(4, 4));
        await follower.shows(numbered(1, 4));
        const warning = `posix-daemonize: lines may be missing: EACCES: permission denied, open '${log}.2'\n`;
        assert.equal(follower.stderr, warning);
        // The next one it may not read at first.
        renameSync(log, `${log}.3`);
        writeFileSync(log, numbered(5, 5), { mode: 0o600 });
        await until('the warning', () => follower.stderr !== warning);
        assert.equal(follower.stderr, `${warning}${warning.replace('.2', '')}`);
        appendFileSync(log, numbered(6, 6));
        chmodSync(log, 0o644);
        await follower.shows(numbered(1, 6));
      },
      numbered(1, 3),
      ['setpriv', '--reuid', '65534', '--clear-groups'],
    ),
);

test('what is no file is told at once, and keeps no other from being shown', () =>
  withSite((site) => {
    site.describe({
      fifo: { command },
      folder: { command },
      file: { command },
    });
    spawnSync('mkfifo', [site.path('fifo.log')]);
    mkdirSync(site.path('folder.log'));
    appendFileSync(site.path('file.log'), 'one\n');
    for (const name of ['fifo', 'folder'])
      for (const options of [[], ['-f']]) {
        const { status, stdout, stderr } = site.run('logs', name, ...options);
        assert.deepEqual([status, stdout], [1, '']);
        assert.match(stderr, new RegExp(`/${name}\\.log is no file\n`));
      }
    const { status, stdout } = site.run('logs');
    assert.deepEqual([status, stdout], [1, 'file   | one\n']);
  }));

test('logs -f waits for a file, and for its folder', () =>
  withSite(async (site) => {
    site.describe({ a: { command, log: 'var/log/a.log' } });
    const follower = new Follower(site, ['a']);
    try {
      mkdirSync(site.path('var'));
      mkdirSync(site.path('var/log'));
      appendFileSync(site.path('var/log/a.log'), 'first\n');
      await follower.shows('first\n');
      rmSync(site.path('var'), { recursive: true });
      mkdirSync(site.path('var/log'), { recursive: true });
      appendFileSync(site.path('var/log/a.log'), 'second\n');
      await follower.shows('first\nsecond\n');
    } finally {
      await follower.end();
    }
  }));

test('logs -f follows a link to a file in another folder', () =>
  withSite(async (site) => {
    site.describe({ a: { command } });
    mkdirSync(site.path('elsewhere'));
    const file = site.write('elsewhere/file', 'first\n');
    symlinkSync(file, site.path('a.log'));
    const follower = new Follower(site, ['a']);
    try {
      await follower.shows('first\n');
      appendFileSync(file, 'second\n');
      await follower.shows('first\nsecond\n');
    } finally {
      await follower.end();
    }
  }));

test('lines of several daemons have their names before them, and stay whole', () =>
  withSite(async (site) => {
    site.describe({
      a: { command },
      long: { command, log: undefined, stdout: 'out', stderr: 'err' },
    });
    appendFileSync(site.path('a.log'), 'one\n');
    appendFileSync(site.path('out'), 'two\n');
    appendFileSync(site.path('err'), 'three');
    const names = ['a           ', 'long        ', 'long stderr '];
    const begin = `${names[0]}| one\n${names[1]}| two\n`;
    assert.equal(site.run('logs').stdout, `${begin}${names[2]}| three\n`);
    const follower = new Follower(site);
    try {
      await follower.shows(begin);
      appendFileSync(site.path('a.log'), 'four');
      appendFileSync(site.path('err'), ' five\n');
      await follower.shows(`${begin}${names[2]}| three five\n`);
    } finally {
      await follower.end();
    }
  }));

test('logs -f ends by SIGINT, and when nobody reads any more', () =>
  following(async (log, follower, site) => {
    const interrupted = once(follower.child, 'exit');
    follower.child.kill('SIGINT');
    assert.deepEqual(await interrupted, [null, 'SIGINT']);
    assert.equal(follower.stderr, '');

    const unread = new Follower(site, ['a']);
    await unread.shows(numbered(1, 3));
    const exit = once(unread.child, 'exit');
    unread.child.stdout!.destroy();
    appendFileSync(log, numbered(4, 5));
    assert.deepEqual(await exit, [141, null]);
    assert.equal(unread.stderr, '');
  }));

test('logs tells where else to look', () =>
  withSite((site) => {
    site.describe({
      a: { command, log: 'syslog' },
      b: { command, log: 'null' },
    });
    const { status, stdout, stderr } = site.run('logs');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /a: (see `(journalctl -t a|grep 'a' \/var\/log\/\w+)`|it logs to the system log)\n/,
    );
    assert.match(stderr, /b: it keeps no log\n/);
  }));
