/** What the program did not say itself, in the system log. */
import { openSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Priority } from '../constants';
import { beforeSignalEnds } from '../exit-signals';
import { close, dup2 } from '../posix/descriptors';
import {
  endLogLines,
  setLogPipePriority,
  settleLogPipes,
} from '../posix/log-pipes';
import { describeEnd } from './ending';
import type { SyslogStream } from './syslog-stream';

type Pipe = 1 | 2;

/** What the pipes of stdout and stderr have when nothing else is said. */
const usual = { 1: 'info', 2: 'err' } as const;

/**
 * From now on sends to the log, a line each: warnings of the process
 * (`warning`), errors that nobody catches (`crit`, with the stack and the
 * causes), and why the process ends (`notice`, or `err` where its status is not
 * 0). Where stderr leads to the log as well, nothing comes twice.
 */
export class Reports {
  readonly #log: SyslogStream;
  readonly #pipeOfStderr: () => Pipe | undefined;
  readonly #pid = process.pid;
  #reason: string | undefined;
  #isFatal = false;
  readonly #listenToNoSignals: () => void;

  /**
   * @param pipeOfStderr the pipe of the log to which stderr, where Node prints,
   *   leads by now
   */
  constructor(log: SyslogStream, pipeOfStderr: () => Pipe | undefined) {
    this.#log = log;
    this.#pipeOfStderr = pipeOfStderr;
    // What Node's own listener prints between these two is the warning.
    process.prependListener('warning', this.#beforeWarning);
    process.on('warning', this.#afterWarning);
    process.on('uncaughtExceptionMonitor', this.#reportError);
    process.on('exit', this.#end);
    process.on('newListener', this.#stayLast);
    this.#listenToNoSignals = beforeSignalEnds((name) =>
      this.#tellEnd('err', `ends by ${name}`),
    );
  }

  /** The process is about to end for this reason. */
  because(reason: string): void {
    this.#reason = reason;
    this.#beLast();
  }

  /**
   * Whether what {@link because} says, in this process, comes to where stderr
   * leads.
   */
  speaksForStderr(): boolean {
    return process.pid === this.#pid && this.#pipeOfStderr() !== undefined;
  }

  /** Listens to nothing any more. */
  close(): void {
    process.off('warning', this.#beforeWarning);
    process.off('warning', this.#afterWarning);
    process.off('uncaughtExceptionMonitor', this.#reportError);
    process.off('newListener', this.#stayLast);
    process.off('exit', this.#end);
    this.#listenToNoSignals();
  }

  readonly #beforeWarning = (): void => {
    const pipe = this.#pipeOfStderr();
    if (pipe) setLogPipePriority(pipe, 'warning');
  };

  readonly #afterWarning = (warning: Error): void => {
    if (!this.#endWarning())
      this.#log.send('warning', describeWarning(warning));
  };

  #endWarning(): boolean {
    const pipe = this.#pipeOfStderr();
    if (pipe) setLogPipePriority(pipe, usual[pipe]);
    return pipe !== undefined;
  }

  readonly #reportError = (error: unknown): void => {
    this.#endWarning(); // where a listener between the two has thrown
    settleLogPipes();
    this.#log.send('crit', describeError(error));
    if (isHandled()) return;
    this.#isFatal = true;
    this.because('an error that nobody caught');
    // An exit listener threw: Node does not call those that follow.
    if ((process as { _exiting?: boolean })._exiting) this.#end(1);
  };

  readonly #end = (code: number): void => {
    const status = Number(process.exitCode ?? code) & 0xff;
    const reason = this.#reason ?? describeEnd();
    const text = `exits with status ${status}: ${reason}`;
    this.#tellEnd(status === 0 ? 'notice' : 'err', text);
    if (this.#isFatal) this.#muteNode();
  };

  // A child of fork() has the same listeners, and is no daemon.
  #tellEnd(priority: Priority, text: string): void {
    if (process.pid !== this.#pid) return;
    endLogLines();
    this.#log.send(priority, text);
  }

  /** Node prints the error after the last listener, when all is told. */
  #muteNode(): void {
    if (!this.#pipeOfStderr()) return;
    settleLogPipes();
    try {
      const nowhere = openSync('/dev/null', 'w');
      dup2(nowhere, 2);
      close(nowhere);
    } catch {
      close(2); // below a chroot without a /dev
    }
  }

  // Listeners of the program that come later are called before ours.
  readonly #stayLast = (event: string | symbol, listener: unknown): void => {
    if (event === 'exit' && listener !== this.#end)
      process.nextTick(() => this.#beLast());
  };

  #beLast(): void {
    if (!process.listeners('exit').includes(this.#end)) return; // closed
    process.off('exit', this.#end);
    process.on('exit', this.#end);
  }
}

const isHandled = (): boolean =>
  process.listenerCount('uncaughtException') > 0 ||
  process.hasUncaughtExceptionCaptureCallback();

// As Node does, which writes the stack only where --trace-warnings asks for it.
function describeWarning(warning: Error): string {
  const { code, detail } = warning as { code?: string; detail?: string };
  const text = `${code ? `[${code}] ` : ''}${String(warning)}`;
  return detail ? `${text}\n${detail}` : text;
}

function describeError(error: unknown): string {
  if (typeof error === 'string') return error;
  try {
    return inspect(error);
  } catch {
    return 'an error that cannot be shown: its own inspection throws';
  }
}
