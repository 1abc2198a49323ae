import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isGone } from './processes';
import { until } from './scenario';

export const examples = join(__dirname, '../../examples');

/** What the shell sees. */
interface Launched {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Of an example that did what it should. */
export const launched = (stdout = ''): Launched => ({
  status: 0,
  stdout,
  stderr: '',
});

/**
 * Runs `examples/<name>.mjs` until the shell would go on.
 * @param through a command that runs the one that follows it
 */
export function runExample(
  name: string,
  args: readonly string[] = [],
  through: readonly string[] = [],
): Launched {
  const command = [
    ...through,
    process.execPath,
    join(examples, `${name}.mjs`),
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

/** Waits until a file has what is asked for. */
export async function found(
  file: string,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  const look = (): RegExpExecArray | null =>
    pattern.exec(readFileSync(file, 'utf8'));
  await until(`${pattern} in ${file}`, () => look() !== null);
  return look()!;
}

/** Ends a daemon as `kill` would. */
export async function stop(pid: number): Promise<void> {
  process.kill(pid);
  await until(`the end of ${pid}`, () => isGone(pid));
}

/** What makes a process a daemon, and where its output goes. */
export function describeDaemon(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , group, session, terminal] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return {
    leadsSession: session === pid,
    inGroupOfSession: group === session,
    terminal,
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    outputs: [1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
  };
}

export const daemon = (...outputs: string[]) => ({
  leadsSession: false,
  inGroupOfSession: true,
  terminal: 0,
  cwd: '/',
  outputs,
});
