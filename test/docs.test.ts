import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';
import { daemonErrorCodes, launcherErrorCodes } from '../src/errors';
import { optionNames } from '../src/option-checks';

const read = (path: string): string =>
  readFileSync(`${__dirname}/../${path}`, 'utf8');

/** The names in the first column of the README's table headed `head`. */
function column(head: string): string[] {
  const lines = read('README.md').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head}`));
  assert.notEqual(start, -1, `no table of ${head}s`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).flatMap((row) => {
    const [, cell = ''] = row.split('|');
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  });
}

test('every error code has its section in docs/errors.md, and nothing else has', () => {
  const sections = read('docs/errors.md').matchAll(/^## (\S+)$/gm);
  assert.deepEqual(
    [...sections].map(([, code]) => code),
    [...daemonErrorCodes, ...launcherErrorCodes].sort(),
  );
});

test('the steps in the README are those that explain() gives', () => {
  assert.deepEqual(
    column('step'),
    explain().map(({ name }) => name),
  );
});

test('the options in the README are those that daemonize() takes', () => {
  assert.deepEqual(column('option'), optionNames);
});

test('docs/coming-from.md leaves out nothing that python-daemon and libdaemon have', () => {
  const text = read('docs/coming-from.md');
  // DaemonContext.__init__ of python-daemon 2.3; daemon_*() of libdaemon 0.14.
  const python = [
    'chroot_directory working_directory umask uid gid initgroups prevent_core',
    'detach_process files_preserve pidfile stdin stdout stderr signal_map',
    'open() close() terminate() is_open daemon.runner.DaemonRunner(app)',
  ];
  const libdaemon = [
    'close_all close_allv exec execv fork ident_from_argv0 log logv nonblock',
    'pid_file_create pid_file_is_running pid_file_kill pid_file_kill_wait',
    'pid_file_proc_default pid_file_remove reset_sigs reset_sigsv retval_done',
    'retval_init retval_send retval_wait set_verbosity signal_done signal_fd',
    'signal_init signal_install signal_next unblock_sigs unblock_sigsv',
  ];
  const words = (lines: string[]): string[] => lines.join(' ').split(' ');
  for (const name of [
    ...words(python),
    ...words(libdaemon).map((word) => `daemon_${word}`),
  ])
    assert.ok(text.includes(`\`${name}\``), name);
});
