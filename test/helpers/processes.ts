import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface MarkedProcess {
  pid: number;
  command: string;
}

/**
 * The processes that were started with `name=value` in their environment,
 * less this one, those that started it and whatever its parent started.
 */
export function processesMarked(name: string, value: string): MarkedProcess[] {
  const parents = new Map<number, number>();
  const marked: MarkedProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    parents.set(
      pid,
      Number(afterName(read(`/proc/${pid}/stat`)).split(' ')[1]),
    );
    const environment = read(`/proc/${pid}/environ`).split('\0');
    if (environment.includes(`${name}=${value}`)) {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      marked.push({ pid, command });
    }
  }
  const own = ancestors(process.pid, parents);
  return marked.filter(
    ({ pid }) =>
      !own.includes(pid) && !ancestors(pid, parents).includes(process.ppid),
  );
}

/** Whether a process has a file open. */
export function opens(pid: number, file: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === file;
    } catch {
      return false; // closed meanwhile
    }
  });
}

/** The paths that a process has bound sockets to, as it wrote them. */
export function socketsOf(pid: number): string[] {
  return read('/proc/net/unix')
    .split('\n')
    .map((line) => line.split(/ +/).slice(6))
    .filter(([inode, path]) => path && opens(pid, `socket:[${inode}]`))
    .map(([, path]) => path!);
}

/** The other processes that have a file open. */
export function openersOf(file: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      try {
        return opens(pid, file);
      } catch {
        return false; // ended meanwhile
      }
    });
}

/** The other processes that have a file open, or have it as their directory. */
export function holdersOf(file: string): number[] {
  const isThere = (pid: number): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === file;
    } catch {
      return false; // ended, or a thread of the kernel
    }
  };
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return [...openersOf(file), ...all.filter(isThere)];
}

/** A zombie counts as gone. */
export function isGone(pid: number): boolean {
  return ['', 'Z', 'X'].includes(
    afterName(read(`/proc/${pid}/stat`)).charAt(0),
  );
}

function ancestors(pid: number, parents: Map<number, number>): number[] {
  const parent = parents.get(pid);
  return parent === undefined || parent === 0
    ? [pid]
    : [pid, ...ancestors(parent, parents)];
}

/** Empty for a process that is gone, a zombie or another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** The fields of a stat file that follow the name, state first. */
function afterName(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2);
}
