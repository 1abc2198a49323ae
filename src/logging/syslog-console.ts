/** The console of a daemon. */
import { Console } from 'node:console';
import type { Writable } from 'node:stream';
import { format, type InspectOptions } from 'node:util';
import type { Priority } from '../constants';
import type { SyslogStreamOptions } from './syslog-options';
import {
  createSyslogStream,
  isSyslogStream,
  type SyslogStream,
} from './syslog-stream';

/**
 * A console that writes to the system log, each line as an entry of its own,
 * and never waits. All of Node's console is there, with its format specifiers,
 * groups, counters and timers; colours are not.
 *
 * | method | priority |
 * |---|---|
 * | `error` | `err` |
 * | `warn`, `assert` | `warning` |
 * | `log`, `info`, `dir`, `dirxml`, `table`, `group`, `count`, `timeLog`, `timeEnd` | `info` |
 * | `debug`, `trace` | `debug` |
 *
 * An assertion that fails is a warning, as in Node, whose `assert` calls `warn`.
 * A trace, with the stack, is no error, which Node's own would make of it:
 * the Console Standard counts it among the plain logs, and who asks for it is
 * debugging.
 *
 * Methods need no `this`: `const { log } = new SyslogConsole()`. It replaces the
 * console of the whole program by `globalThis.console = new SyslogConsole()`.
 * What `require('node:console')` gives stays Node's own.
 * @see https://console.spec.whatwg.org/#loglevel-severity
 */
export class SyslogConsole extends Console {
  /** Where it writes: the queue's `stats()` and `flush()` are here. */
  readonly stream: SyslogStream;
  #priority: Priority = 'info';

  /**
   * @param options as for {@link createSyslogStream}, or a stream to share, such
   *   as the `log` of {@link DaemonContext}
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   * @throws {RangeError} `ERR_OUT_OF_RANGE`
   */
  constructor(options?: SyslogStreamOptions | SyslogStream) {
    const stream = isSyslogStream(options)
      ? options
      : createSyslogStream(options);
    // Of a stream Node's Console uses nothing else where it has to hand on
    // errors. It calls this synchronously, with a whole text and a newline.
    // Loggers such as winston's Console write to `_stdout` and `_stderr`.
    const output = (priority: () => Priority): Writable => {
      const write = (text: string | Uint8Array): boolean => {
        const message = typeof text === 'string' ? text : decode(text);
        const end = message.endsWith('\n') ? -1 : undefined;
        stream.send(priority(), message.slice(0, end));
        return true;
      };
      return { write } as unknown as Writable;
    };
    super({
      stdout: output(() => this.#priority),
      stderr: output(() => 'err'),
      ignoreErrors: false,
      colorMode: false,
    });
    this.stream = stream;
    adopt(this);
  }

  /** Node's would take any console for one of these. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }

  override error(...data: unknown[]): void {
    this.#print('err', data);
  }

  override warn(...data: unknown[]): void {
    this.#print('warning', data);
  }

  override debug(...data: unknown[]): void {
    this.#print('debug', data);
  }

  // Who asks for colours has a terminal in mind.
  override dir(item: unknown, options?: InspectOptions): void {
    super.dir(item, { ...options, colors: false });
  }

  override trace(...data: unknown[]): void {
    const trace = { name: 'Trace', message: format(...data), stack: '' };
    // eslint-disable-next-line @typescript-eslint/unbound-method -- names the frame to begin after
    Error.captureStackTrace(trace, SyslogConsole.prototype.trace);
    this.#print('debug', [trace.stack]);
  }

  // Values that write to the console while they are shown do so before.
  #print(priority: Priority, data: unknown[]): void {
    const text = format(...data);
    this.#priority = priority;
    try {
      super.log(text);
    } finally {
      this.#priority = 'info';
    }
  }
}

const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/**
 * What the global console has beside the methods of a Console, such as
 * `timeStamp` for the inspector: who replaces it must not miss them.
 */
function adopt(own: object): void {
  for (const [name, value] of Object.entries(globalThis.console))
    if (!(name in own)) Object.assign(own, { [name]: value as unknown });
}
