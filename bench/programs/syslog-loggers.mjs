// The loggers that are compared, each used as its README says. All have
// log(text), room() (resolves in a later turn of the loop, when no more than
// ten thousand messages wait) and end() (when the log daemon has all that it will
// get). winston has no room(): nothing tells its user that messages wait.
import { setImmediate, setTimeout } from 'node:timers/promises';
import * as lib from '../../lib/index.mjs';

const most = 10_000;

export const loggers = {
  send() {
    const stream = lib.createSyslogStream({ ident: 'bench' });
    return ours(stream, (text) => stream.send('info', text));
  },

  write() {
    const stream = lib.createSyslogStream({ ident: 'bench' });
    return ours(stream, (text) => stream.write(text));
  },

  console() {
    const console = new lib.SyslogConsole({ ident: 'bench' });
    return ours(console.stream, (text) => console.log(text));
  },

  async modernSyslog() {
    const { default: modern } = await import('modern-syslog');
    const { LOG_PID } = modern.option;
    modern.open('bench', LOG_PID, modern.facility.LOG_DAEMON);
    let waiting = 0;
    const done = () => waiting--;
    return {
      log(text) {
        waiting++;
        modern.log('LOG_INFO', text, done);
      },
      room: () => until(() => waiting <= most),
      end: () => until(() => waiting === 0),
    };
  },

  async winstonSyslog() {
    const { default: winston } = await import('winston');
    const { Syslog } = await import('winston-syslog');
    const transport = new Syslog({
      protocol: 'unix-connect',
      path: '/dev/log',
      app_name: 'bench',
      facility: 'daemon',
    });
    const logger = winston.createLogger({
      levels: winston.config.syslog.levels,
      format: winston.format.printf(({ message }) => message),
      transports: [transport],
    });
    logger.on('error', () => {}); // it tells of each message that has to wait
    return {
      log: (text) => logger.info(text),
      room: setImmediate,
      end: () => untilStill(() => transport.queue.length),
    };
  },

  none: () => ({ log() {}, room: setImmediate, end: setImmediate }),
};

function ours(stream, log) {
  const room = async () => {
    await setImmediate();
    while (stream.stats().queued > most) await setTimeout(1);
  };
  return { log, room, end: () => stream.flush(10_000) };
}

async function until(condition) {
  do await setImmediate();
  while (!condition());
}

/** Of what may never come to an end: until half a second changes nothing. */
async function untilStill(length) {
  let before;
  while (length() !== 0 && length() !== before) {
    before = length();
    await setTimeout(500);
  }
}
