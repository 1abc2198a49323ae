// All that a daemon has to say in the system log: its output, priorities of its
// own, a second log of another kind, and at last why it ends.
//
// usage: syslog-stream.mjs
import { spawn } from 'node:child_process';
import { createSyslogStream, daemonize } from 'posix-daemonize';

const { log } = daemonize({ syslog: { ident: 'syslog-stream' } });

console.log('by stdout'); // info
console.error('by stderr'); // err
log.send('notice', 'with a priority\nin two lines'); // two entries

const audit = createSyslogStream({
  ident: 'syslog-stream',
  facility: 'authpriv',
  maxQueueBytes: 64 << 20,
});
spawn('echo', ['from another program']).stdout.pipe(audit);

setInterval(() => {
  const { queued, dropped } = log.stats();
  log.send('debug', `${queued} wait, ${dropped} dropped`);
}, 60_000);
