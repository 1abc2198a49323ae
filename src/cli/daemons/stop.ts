/** Stops daemons, and shows what it waits for. */
import type { StopOptions } from '../../control';
import { exitCodes } from '../exit-codes';
import { asFailure, Failure } from '../failure';
import { complain, isTerminal, print, write } from '../terminal';
import { endDaemon } from './ending';
import type { Managed } from './managed';

/** ms between lines where they cannot replace each other */
const pause = 5000;

/** What became of a daemon that was to stop. */
export interface Stopped {
  daemon: Managed;
  outcome: 'stopped' | 'not running' | 'failed';
  /** The exit code of a failure. */
  status: number;
}

/**
 * Stops daemons one after the other. Tells of each.
 * @param given what comes before the settings of each daemon
 */
export async function stopAll(
  daemons: readonly Managed[],
  given: StopOptions = {},
): Promise<Stopped[]> {
  const done: Stopped[] = [];
  for (const daemon of daemons) done.push(await stop(daemon, given));
  return done;
}

async function stop(daemon: Managed, given: StopOptions): Promise<Stopped> {
  const { name } = daemon;
  const wait = new Wait(name);
  const onWait = (pid: number, waited: number): void => wait.show(pid, waited);
  try {
    const { pid, isOrphan } = await endDaemon(daemon, { ...given, onWait });
    wait.clear();
    const how = isOrphan ? ', which had lost its supervisor' : '';
    print(`${name}: stopped, was pid ${pid}${how}`);
    return { daemon, outcome: 'stopped', status: 0 };
  } catch (error) {
    wait.clear();
    if ((error as NodeJS.ErrnoException).code === 'ERR_DAEMON_NOT_RUNNING') {
      print(`${name}: not running`);
      const status = exitCodes.notRunning;
      return { daemon, outcome: 'not running', status };
    }
    const { message, status, hint } = asFailure(error);
    complain(new Failure(`${name}: ${message}`, status, hint));
    return { daemon, outcome: 'failed', status };
  }
}

/** One line that changes on a terminal; elsewhere a line now and then. */
class Wait {
  readonly #name: string;
  #told = 0;
  #shown = false;

  constructor(name: string) {
    this.#name = name;
  }

  show(pid: number, waited: number): void {
    const seconds = Math.round(waited / 1000);
    const text = `${this.#name}: waiting for pid ${pid} to end, ${seconds} s`;
    if (isTerminal(2)) {
      this.#shown = true;
      write(2, `\r${text}\x1b[K`);
    } else if (waited - this.#told >= pause) {
      this.#told = waited;
      write(2, `${text}\n`);
    }
  }

  clear(): void {
    if (this.#shown) write(2, '\r\x1b[K');
  }
}
