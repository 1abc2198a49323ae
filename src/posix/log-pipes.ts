/** Pipes that a thread reads and queues for the system log, line by line. */
import { binding } from '../binding';
import { priorities, type Priority } from '../constants';
import { check } from '../errors';

/** The two descriptors of a pipe. */
export interface LogPipe {
  read: number;
  write: number;
}

/**
 * A pipe for `LogQueue.serve()`, with room for 1 MB where the user may have so
 * much.
 * @throws {PosixError} `EMFILE`, `ENFILE`
 */
export function openLogPipe(): LogPipe {
  const [read, write] = binding.openLogPipe();
  return { read: check(read, 'pipe'), write };
}

/**
 * Waits until all whole lines that are in the pipes are queued: 100 ms at most.
 */
export function settleLogPipes(): void {
  binding.settleLogPipes();
}

/** Likewise, and what came after the last newline is a line as well. */
export function endLogLines(): void {
  binding.endLogLines();
}

/**
 * The priority of what is written from now on to the pipe that was made for
 * stdout (1) or stderr (2). What was written before keeps its own.
 */
export function setLogPipePriority(fd: 1 | 2, priority: Priority): void {
  binding.setLogPipePriority(fd, priorities[priority]);
}
