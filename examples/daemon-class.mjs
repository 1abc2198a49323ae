// A daemon with start, stop and restart: the article's Daemon class in Node.
//
//   node daemon-class.mjs start|stop|restart|status [FOLDER]
//
// PID file and log go to the folder, /tmp if none is given.
import { resolve } from 'node:path';
import { Daemon } from 'posix-daemonize';

class Clock extends Daemon {
  run() {
    console.log(`Daemon started with pid ${process.pid}`);
    let count = 0;
    setInterval(() => {
      console.log(`${count++}: ${new Date().toISOString()}`);
    }, 1000);
  }
}

const [command = '', folder = '/tmp', ...more] = process.argv.slice(2);
const commands = ['start', 'stop', 'restart', 'status'];
if (!commands.includes(command) || more.length > 0) {
  console.error(`usage: daemon-class.mjs ${commands.join('|')} [FOLDER]`);
  process.exit(2);
}

const log = resolve(folder, 'clock.log');
const clock = new Clock({
  name: 'clock',
  pidfile: resolve(folder, 'clock.pid'),
  stdout: log,
  stderr: log,
});

try {
  const result = await clock[command]();
  if (command === 'stop') console.log(`stopped process ${result}`);
  if (command === 'status') console.log(result);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
