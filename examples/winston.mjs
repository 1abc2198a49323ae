// A daemon that logs by winston to the system log.
//
// usage: winston.mjs
import { daemonize, createSyslogStream } from 'posix-daemonize';
import winston from 'winston';
import Transport from 'winston-transport';

class SyslogTransport extends Transport {
  #stream;

  /** @param {import('posix-daemonize').SyslogStreamOptions} syslog */
  constructor({ syslog, ...options }) {
    super(options);
    this.#stream = createSyslogStream(syslog);
  }

  // winston keeps the level and the formatted text under these symbols, where
  // no format changes them.
  log(info, callback) {
    const level = info[Symbol.for('level')];
    const priority = { error: 'err' }[level] ?? level;
    this.#stream.send(priority, info[Symbol.for('message')]);
    this.emit('logged', info);
    callback();
  }

  async _final(callback) {
    await this.#stream.flush();
    this.#stream.destroy();
    callback();
  }
}

daemonize();

const log = winston.createLogger({
  level: 'debug',
  levels: winston.config.syslog.levels,
  format: winston.format.combine(
    winston.format.splat(),
    winston.format.printf(({ message }) => message),
  ),
  transports: [new SyslogTransport({ syslog: { ident: 'winston-example' } })],
});
log.info('listening on %s, port %d', 'localhost', 8080);
log.debug('a request');
log.warning('the disk is nearly full');
log.error('the disk is full');
log.crit('giving up');

process.on('exit', () => log.info('stopped'));
setInterval(() => log.info('still here'), 60_000);
