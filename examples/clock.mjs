// A clock that becomes a daemon: the article's daemonize() example in Node.
// Its log goes to the file given, or to /tmp/clock.log.
import { daemonize } from 'posix-daemonize';

const [log = '/tmp/clock.log'] = process.argv.slice(2);

console.log(`clock: started as process ${process.pid}, log in ${log}`);
daemonize({ stdout: log, stderr: log });

console.log(`Daemon started with pid ${process.pid}`);
let count = 0;
setInterval(() => {
  console.log(`${count++}: ${new Date().toISOString()}`);
}, 1000);
