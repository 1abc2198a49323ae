/** Programs that hold a PID file without a lock, as those of `run` do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Pidfile } from '../../src/pidfile';

/**
 * Starts a shell script, which says a line when it is there, and names it in a
 * PID file. It ends with its standard input, if it reads that.
 */
export async function withProgram<T>(
  path: string,
  script: string,
  use: (pid: number, program: ChildProcess) => Promise<T>,
): Promise<T> {
  const program = spawn('sh', ['-c', `${script}\necho; exec cat`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(program, 'exit');
  try {
    await once(program.stdout, 'data');
    hold(path, program.pid!);
    return await use(program.pid!, program);
  } finally {
    program.kill('SIGKILL');
    await exit;
  }
}

/** Names a process as the one that holds a PID file. */
export function hold(path: string, pid: number): void {
  const pidfile = Pidfile.open(path);
  pidfile.write(pid, { lock: false });
  pidfile.close();
}
