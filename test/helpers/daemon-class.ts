/** Programs of `fixtures/daemon-class.cjs`: a Daemon, and commands to it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, type DaemonOptions } from 'posix-daemonize';
import type { Launched } from './launch';
import { nodes } from './nodes';
import { Program } from './programs';
import { withFolder } from './scenario';

export type Form = 'object' | 'subclass';
export type Outcome = { result: unknown } & Record<
  'code' | 'message' | 'pid',
  string | number | undefined
>;

export interface Started {
  pid: number;
  title: string;
  words: string[];
}

/** One program, and the files of its daemon. */
export class Control {
  readonly pidfile: string;
  /** What gives the commands. */
  through: string[] = [];
  readonly #program: Program;
  readonly #form: Form;
  readonly #config: string;
  readonly #options: Partial<DaemonOptions>;

  constructor(
    program: Program,
    form: Form,
    folder: string,
    options: Partial<DaemonOptions> = {},
  ) {
    this.#program = program;
    this.#form = form;
    this.pidfile = join(folder, 'x.pid');
    this.#config = join(folder, 'config.json');
    this.#options = { name: 'clockd', pidfile: this.pidfile, ...options };
    this.configure({});
  }

  configure(moments: Record<string, string>): void {
    writeFileSync(this.#config, JSON.stringify(moments));
  }

  /** Launches a daemon that lives as long as `use`. */
  launch<T>(
    command: 'start' | 'restart',
    words: string[],
    use: Parameters<typeof Program.prototype.play<T>>[3],
  ): Promise<T> {
    return this.#program.play('command', this.#args(command, words), {}, use);
  }

  /** Gives a command that launches none: what it printed, and its status. */
  async give(
    command: string,
    ...words: unknown[]
  ): Promise<[status: number | null, outcome: Outcome]> {
    const { status, stdout } = await this.#program.play<Launched>(
      'command',
      this.#args(command, words),
      { through: this.through },
      (_, launched) => launched,
    );
    return [status, JSON.parse(stdout) as Outcome];
  }

  #args(command: string, words: readonly unknown[]): unknown[] {
    return [this.#form, this.#options, this.#config, command, ...words];
  }
}

export const here = (pidfile: string) => new Daemon({ name: 'x', pidfile });
const [node] = nodes;
export const program = new Program(node, 'program.cjs', 'daemon-class');

export function withControl(
  use: (control: Control, folder: string) => Promise<void>,
  options?: Partial<DaemonOptions>,
): Promise<void> {
  return withFolder((folder) =>
    use(new Control(program, 'subclass', folder, options), folder),
  );
}
