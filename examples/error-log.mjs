// Step 8 of the article: errors go to the system log, by openlog, setlogmask,
// syslog and closelog. This daemon sees every minute, and at each SIGHUP,
// whether the files given can be read.
//
// usage: error-log.mjs FILE...
import { accessSync, constants } from 'node:fs';
import {
  closelog,
  daemonize,
  openlog,
  setlogmask,
  syslog,
} from 'posix-daemonize';

const files = process.argv.slice(2);

function check() {
  syslog('debug', `looking at ${files.length} files`);
  for (const file of files) {
    try {
      accessSync(file, constants.R_OK);
      syslog('info', `${file} can be read`);
    } catch (error) {
      syslog('err', error.message);
    }
  }
}

daemonize({ sighup: check });

openlog('error-log', ['pid'], 'daemon');
setlogmask({ upTo: 'info' }); // debug is left out
syslog('notice', 'started');
process.on('exit', () => {
  syslog('notice', 'stopped');
  closelog();
});
check();
setInterval(check, 60_000);
