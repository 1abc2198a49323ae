/** Signals that are to end a command which has something to end first. */
import type { Signal } from '../constants';
import { signal } from '../posix/signals';

export interface Asked<Name> {
  /** The first that has come. */
  readonly first: Name | undefined;
  /** They do again what they did. */
  end: () => void;
}

/** @param act what each of these does from now on */
export function listenFor<Name extends Signal>(
  names: readonly Name[],
  act: (name: Name) => void,
): Asked<Name> {
  const come: Name[] = [];
  const listeners = names.map((name) => {
    const listener = (): void => {
      come.push(name);
      act(name);
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    get first() {
      return come[0];
    },
    end: () => {
      for (const { name, listener } of listeners) process.off(name, listener);
    },
  };
}

/** As if nobody had listened: a shell sees what has ended it. */
export function dieBy(name: Signal): void {
  process.removeAllListeners(name);
  signal(name, 'default');
  process.kill(process.pid, name);
}
