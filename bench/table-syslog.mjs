// What messages to the system log cost, as Markdown tables.
import { digits, spread, table } from './markdown.mjs';

/** @returns {string[]} the paragraphs */
export function tabulateSyslog(syslog, { rounds, flood }) {
  if (!syslog)
    return [
      '### The system log',
      'Left out: a /dev/log of its own takes root with CAP_SYS_ADMIN, and `unshare`.',
    ];
  const { receiver, rsyslogd, stopped } = syslog;
  return [
    `### The system log\n\nMedian of ${rounds.syslog}, each of ${flood.messages} messages of 100 bytes. Thousands of messages received per second, × to the best of the two packages; microseconds per message that the event loop was busy, and of the processor in all threads, × to C. A program that only reads and counts receives:`,
    floodTable(receiver),
    aim(receiver),
    ...(rsyslogd
      ? ['rsyslogd receives, and writes to a file:', floodTable(rsyslogd)]
      : ['Left out: rsyslogd, which is not installed.']),
    `### While the log daemon is stopped\n\nMedian of ${rounds.stopped}. 10,000 messages a second for ${flood.seconds} s: the largest delay of the event loop and the longest wait for \`fs.stat()\` in ms, and by how many MB the process grew. syslog(3) in C waits until the log daemon goes on.`,
    table(
      ['', 'loop delay', 'most', 'wait for a file', 'growth'],
      stopped.map(({ name, delay, file, memory }) => [
        name,
        spread(delay),
        digits(delay.max),
        spread(file),
        spread(memory),
      ]),
    ),
  ];
}

function floodTable(rows) {
  return table(
    ['', '1000/s', '×', 'loop µs', '×', 'processor µs', '×', 'received'],
    rows.map(({ name, rate, loop, cpu, received, doubled }) => [
      name,
      ...[rate, loop, cpu].flatMap((figure) => [
        spread(figure),
        figure.ratio.toFixed(2),
      ]),
      `${digits(received * 100)} %${doubled > 0 ? `, ${digits(doubled)} twice` : ''}`,
    ]),
  );
}

function aim(rows) {
  const { rate, loop } = rows.find(({ name }) => name.includes('send()'));
  return `Aim: \`send()\` brings at least as many messages as the best package, and takes at most 1.5 × the time of C. It is ${rate.ratio.toFixed(2)} × and ${loop.ratio.toFixed(2)} ×.`;
}
