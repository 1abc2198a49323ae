// A daemon that starts shell commands, a second apart, as the article's program
// does with subprocess.Popen(shell=True). It waits for them, so that none
// becomes a zombie, and notes how each ended.
//
// usage: command-list.mjs [LOG [COMMAND...]]
import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { daemonize } from 'posix-daemonize';

const [log = '/tmp/command-list.log', ...given] = process.argv.slice(2);
const commands = given.length > 0 ? given : ['uname -a', 'uptime | wc -c'];

daemonize({ stdout: log, stderr: log });

for (const command of commands) {
  await setTimeout(1000);
  console.log(command);
  // Its output goes where the daemon's does.
  spawn(command, { shell: true, stdio: 'inherit' })
    .on('error', (error) => console.error(`${command}: ${error.message}`))
    .on('exit', (code, signal) =>
      console.log(`${command}: ended with ${signal ?? code}`),
    );
}
