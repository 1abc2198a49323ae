// The article's daemon_init(): both output files, two forks, and a greeting in
// the log. What comes before the call is for the terminal.
//
// usage: daemon-init.mjs [LOG [ERRORS]]
import { setTimeout } from 'node:timers/promises';
import { daemonize } from 'posix-daemonize';

const [log = '/tmp/daemon.log', errors = '/tmp/daemon.err'] =
  process.argv.slice(2);

function daemonInit(stdin = 'null', stdout = 'null', stderr = 'null') {
  daemonize({ stdin, stdout, stderr });
  console.log(`Daemon has been created! with pid: ${process.pid}`);
}

console.log('========main function start!============');
daemonInit('/dev/null', log, errors);
await setTimeout(10_000); // in place of work
