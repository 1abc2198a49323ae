import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFolder } from './scenario';

export const cli = join(__dirname, '../../lib/cli.js');

/** ms for one command under load */
const DEADLINE = 60_000;

/** A folder with a daemons.json, whose daemons are stopped in the end. */
export class Site {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Places for what has no place of its own are in the folder too. */
  get env(): NodeJS.ProcessEnv {
    const { folder } = this;
    return {
      ...process.env,
      FORCE_COLOR: undefined,
      NO_COLOR: undefined,
      XDG_RUNTIME_DIR: folder,
      XDG_STATE_HOME: folder,
    };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | object): string {
    const path = this.path(name);
    const text =
      typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(path, text);
    return path;
  }

  /** Writes daemons.json; PID files and logs are in the folder. */
  describe(daemons: Record<string, object>, more: object = {}): void {
    const placed = Object.entries(daemons).map(
      ([name, definition]): [string, object] => [
        name,
        { pidfile: `${name}.pid`, log: `${name}.log`, ...definition },
      ],
    );
    this.write('daemons.json', {
      ...more,
      daemons: Object.fromEntries(placed),
    });
  }

  run(...args: string[]): Result {
    return this.runWith(process.execPath, [cli, ...args]);
  }

  runWith(command: string, args: readonly string[]): Result {
    const result = spawnSync(command, args, {
      cwd: this.folder,
      env: this.env,
      encoding: 'utf8',
      timeout: DEADLINE,
    });
    if (result.error) throw result.error;
    return pick(result);
  }
}

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

const pick = ({
  status,
  stdout,
  stderr,
}: SpawnSyncReturns<string>): Result => ({ status, stdout, stderr });

export function withSite(
  use: (site: Site) => Promise<void> | void,
): Promise<void> {
  return withFolder(async (folder) => {
    const site = new Site(folder);
    try {
      await use(site);
    } finally {
      site.run('stop', '--signal', 'KILL');
    }
  });
}
