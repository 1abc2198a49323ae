// Runs the tests: the given files, or all; then the one that proves that no
// process survived them. Options of `node --test` may be given too.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const last = 'test/zz-leftovers.test.ts';

const given = process.argv.slice(2);
const options = given.filter((argument) => argument.startsWith('-'));
const files = given.filter((argument) => !argument.startsWith('-'));

// A file that others may write to cannot be a PID file: whatever umask is here.
process.umask(0o022);

const env = {
  ...process.env,
  POSIX_DAEMONIZE_TEST_RUN: `${process.pid}-${Date.now()}`,
};

const results = [files.length > 0 ? files : allTests(), [last]].map(run);
process.exitCode = results.every((passed) => passed) ? 0 : 1;

function allTests() {
  return readdirSync(join(root, 'test'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .filter((file) => file !== last);
}

function run(tests) {
  const { status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-reporter=spec', ...options, ...tests],
    { cwd: root, stdio: 'inherit', env },
  );
  return status === 0;
}
