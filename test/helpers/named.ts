import { readFileSync, rmSync } from 'node:fs';
import { type Places, placesOf } from '../../src/cli/places';
import { withEnv } from './environment';
import { firstLine } from './pidfile';
import { isGone } from './processes';
import { until } from './scenario';
import { type Result, type Site, withSite } from './site';

let count = 0;

/** What `run --name` starts, under a name that no other test has. */
export class Named {
  readonly name = `named-test-${process.pid}-${++count}`;
  readonly site: Site;
  readonly places: Places;

  constructor(site: Site) {
    this.site = site;
    // Of root they are in /run and /var/log, whatever the environment says.
    const { XDG_RUNTIME_DIR, XDG_STATE_HOME } = site.env;
    this.places = withEnv({ XDG_RUNTIME_DIR, XDG_STATE_HOME }, () =>
      placesOf(this.name),
    );
  }

  run(...words: string[]): Result {
    return this.site.run('run', '--name', this.name, ...words);
  }

  get pid(): number {
    return Number(firstLine(this.places.pidfile));
  }

  get childPid(): number {
    return Number(firstLine(this.places.childPidfile));
  }

  /** The file that tells how it was started. */
  get record(): string {
    return this.places.pidfile.replace(/\.pid$/, '.run.json');
  }

  /** Of `status --json`. */
  report(...args: string[]): Record<string, unknown> | undefined {
    const { stdout } = this.site.run('status', '--json', ...args);
    const all = JSON.parse(stdout) as Record<string, unknown>[];
    return all.find(({ name }) => name === this.name);
  }

  async killSupervisor(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGKILL');
    await until('the end of the supervisor', () => isGone(pid));
  }

  remove(): void {
    this.site.run('stop', this.name, '--signal', 'KILL');
    const { pidfile, childPidfile, log } = this.places;
    const state = pidfile.replace(/\.pid$/, '.state');
    for (const path of [pidfile, childPidfile, log, state, this.record])
      rmSync(path, { force: true });
  }
}

export function withNamed(
  use: (named: Named) => Promise<void> | void,
): Promise<void> {
  return withSite(async (site) => {
    const named = new Named(site);
    try {
      await use(named);
    } finally {
      named.remove();
    }
  });
}

/** A program that hears no signal, and has a child that hears none. */
export const deaf = (file: string): string[] => [
  ...['sh', '-c'],
  `trap '' TERM INT; sleep 1000 & echo $! >'${file}'; while :; do sleep 1; done`,
];

/** The pid that a program has written into a file. */
export async function pidFrom(file: string): Promise<number> {
  await until(`a pid in ${file}`, () => numberIn(file) > 0);
  return numberIn(file);
}

function numberIn(file: string): number {
  try {
    return parseInt(readFileSync(file, 'utf8'), 10) || 0;
  } catch {
    return 0; // not there yet
  }
}
