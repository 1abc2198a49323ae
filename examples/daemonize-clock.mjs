// The article's daemonize() with its main(): a greeting on each of the two
// outputs, then a number and the time each second.
//
// usage: daemonize-clock.mjs [LOG [ERRORS]]
import { daemonize } from 'posix-daemonize';

const [log = '/tmp/daemon_stdout.log', errors = '/tmp/daemon_error.log'] =
  process.argv.slice(2);

/** As ctime(3) has it: `Wed Sep  4 06:48:11 2019`. */
function ctime(date) {
  const [weekday, month, day, year, time] = date.toString().split(' ');
  return [weekday, month, day.replace(/^0/, ' '), time, year].join(' ');
}

function main() {
  console.log(`Daemon started with pid ${process.pid}`);
  console.log('Daemon stdout output');
  console.error('Daemon stderr output');
  let count = 0;
  const tick = () => console.log(`${count++}: ${ctime(new Date())}`);
  tick();
  setInterval(tick, 1000);
}

daemonize({ stdout: log, stderr: errors });
main();
