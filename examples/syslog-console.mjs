// A daemon whose console is the system log: each method has its priority.
//
// usage: syslog-console.mjs
import { daemonize, SyslogConsole } from 'posix-daemonize';

daemonize();

globalThis.console = new SyslogConsole({ ident: 'syslog-console' });
console.log('listening on %s, port %d', 'localhost', 8080); // info
console.debug({ users: ['anna', 'ben'] }); // debug
console.warn('the disk is nearly full'); // warning
console.error(new Error('the disk is full')); // err, a line for each of the stack

process.on('exit', () => console.log('stopped'));
setInterval(() => console.log('still here'), 60_000);
