// A daemon that logs by pino to the system log.
//
// usage: pino.mjs
import pino from 'pino';
import { daemonize } from 'posix-daemonize';

daemonize();

const log = pino({
  level: 'trace',
  transport: {
    target: new URL('pino-transport.mjs', import.meta.url).href,
    options: { syslog: { ident: 'pino-example' } },
  },
});
log.info({ port: 8080 }, 'listening');
log.trace('a request');
log.warn('the disk is nearly full');
log.error(new Error('the disk is full'), 'cannot write');
log.fatal('giving up');

process.on('exit', () => log.info('stopped'));
setInterval(() => log.info('still here'), 60_000);
