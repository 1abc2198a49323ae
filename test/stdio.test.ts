import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LaunchOptions } from './helpers/launch';
import { forEachProgram } from './helpers/programs';
import { withFolder } from './helpers/scenario';

interface Written {
  called: number;
  isTTY: boolean[];
  same: boolean;
  waiting: number;
  fds: Record<string, string>;
}

interface Input {
  seen: string;
  after: string;
  fds: Record<string, string>;
}

/** More than a pipe, libuv's queue and a stream take without waiting. */
const MEGABYTE = 1 << 20;

function lines(name: string, from: number, to: number): string {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  return numbers.map((number) => `${name} ${number}\n`).join('');
}

const stdoutBefore = (size: number): string =>
  `${lines('stdout', 0, 30)}${'x'.repeat(size)}${lines('stdout', 30, 60)}.\n`;

function assertLog(folder: string): void {
  const log = (name: string): string =>
    readFileSync(join(folder, name), 'utf8');
  assert.equal(log('out'), `${lines('stdout', 60, 90)}end\n`);
  assert.equal(log('err'), lines('stderr', 60, 90));
}

function assertStreams({ called, same, waiting, isTTY }: Written): void {
  assert.equal(called, 3, 'every callback is called once');
  assert.ok(same, 'process.stdout and stderr are the objects that they were');
  assert.equal(waiting, 0);
  assert.deepEqual(isTTY, [false, false]);
}

forEachProgram('stdio', (program) => {
  const logs = (folder: string): object => ({
    stdout: join(folder, 'out'),
    stderr: join(folder, 'err'),
  });

  test('a megabyte that a pipe has not taken yet reaches its reader, and nothing that comes later', () =>
    withFolder((folder) =>
      program.play(
        'write',
        [logs(folder), MEGABYTE],
        {},
        async (probe, { status, stdout, stderr }) => {
          assert.equal(status, 0, stderr);
          assertStreams(await probe.next());
          assert.ok(stdout === stdoutBefore(MEGABYTE), 'in order, once, whole');
          assert.equal(stderr, lines('stderr', 0, 30));
          assertLog(folder);
        },
      ),
    ));

  test('streams used on a terminal go on in files, and leave nothing of it open', () =>
    withFolder((folder) =>
      program.play(
        'write',
        [logs(folder), 10],
        { pty: true },
        async (probe, { status, stdout }) => {
          assert.equal(status, 0, stdout);
          const written = await probe.next<Written>();
          assertStreams(written);
          const [before = '', after = ''] = stdout.split(
            lines('stderr', 0, 30),
          );
          assert.equal(before + after, stdoutBefore(10));
          assertLog(folder);
          const terminals = Object.values(written.fds).filter((path) =>
            path.startsWith('/dev/pts/'),
          );
          assert.deepEqual(terminals, []);
        },
      ),
    ));

  test('streams used on files go on in other files', () =>
    withFolder((folder) => {
      const before = join(folder, 'before');
      const options: LaunchOptions = {
        through: ['sh', '-c', `exec "$0" "$@" >'${before}' 2>&1`],
      };
      return program.play(
        'write',
        [logs(folder), MEGABYTE],
        options,
        async (probe, { status }) => {
          assert.equal(status, 0, readFileSync(before, 'utf8').slice(0, 999));
          assertStreams(await probe.next());
          const [out = '', rest = ''] = readFileSync(before, 'utf8').split(
            lines('stderr', 0, 30),
          );
          assert.ok(out + rest === stdoutBefore(MEGABYTE), 'in order, once');
          assertLog(folder);
        },
      );
    }));

  test('standard output and error in one file stay in order', () =>
    withFolder((folder) => {
      const log = join(folder, 'log');
      return program.play(
        'alternate',
        [{ stdout: log, stderr: log }, 200],
        {},
        async (probe) => {
          await probe.next();
          assert.equal(readFileSync(log, 'utf8'), lines('line', 0, 200));
        },
      );
    }));

  for (const [where, first, options] of [
    ['a pipe', 'first\n', { input: 'first\n' }],
    ['a terminal', '', { pty: true }],
  ] as const) {
    test(`who reads ${where} sees its end, and then the new input`, () =>
      withFolder((folder) => {
        const file = join(folder, 'input');
        writeFileSync(file, 'second');
        return program.play(
          'read',
          [{ stdin: file }, { first }],
          options,
          async (probe, { status, stdout, stderr }) => {
            assert.equal(status, 0, stdout + stderr);
            const { seen, after, fds } = await probe.next<Input>();
            assert.deepEqual({ seen, after }, { seen: first, after: 'second' });
            assert.equal(fds[0], file);
          },
        );
      }));
  }

  test('a terminal in raw mode is given back to the shell as it was', () =>
    program.play(
      'read',
      [{}, { raw: true }],
      { pty: true, through: ['sh', '-c', '"$0" "$@"; stty -a'] },
      async (probe, { stdout }) => {
        assert.match(stdout, /[^-]icanon/);
        assert.match(stdout, /[^-]echo\b/);
        const { after } = await probe.next<Input>();
        assert.equal(after, '');
      },
    ));

  test('process.stdin of a daemon that never read before is the file given', () =>
    withFolder((folder) => {
      const file = join(folder, 'input');
      writeFileSync(file, 'configuration');
      return program.play('readLater', [{ stdin: file }], {}, async (probe) => {
        assert.equal(await probe.next(), 'configuration');
      });
    }));
});
