// A transport of pino, in pino's worker: each line that pino writes becomes a
// message in the system log, with the priority of its level.
import build from 'pino-abstract-transport';
import { createSyslogStream } from 'posix-daemonize';

const priorities = {
  10: 'debug', // trace
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'err',
  60: 'crit', // fatal
};

/** What every entry of the log has by itself. */
const known = ['time', 'pid', 'hostname'];

/** A level of one's own has the priority of the next lower one of pino's. */
export function priorityOf(level) {
  return priorities[Math.min(60, Math.max(10, Math.floor(level / 10) * 10))];
}

/** @param {{syslog?: import('posix-daemonize').SyslogStreamOptions}} options */
export default function transport({ syslog }) {
  const stream = createSyslogStream(syslog);
  const send = async (lines) => {
    for await (const { level, ...line } of lines) {
      for (const name of known) delete line[name];
      stream.send(priorityOf(level), JSON.stringify(line));
    }
  };
  const close = async () => {
    await stream.flush();
    stream.destroy();
  };
  return build(send, { close });
}
