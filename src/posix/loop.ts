/** The event loop's own descriptors, and writing without it. */
import { binding } from '../binding';
import { check } from '../errors';

/** A handle of the event loop; `type` as libuv calls it: `'tty'`, `'pipe'`. */
export interface LoopHandle {
  fd: number;
  type: string;
}

/** Every handle of the event loop that has a descriptor. */
export function listLoopHandles(): LoopHandle[] {
  return binding.loopHandles();
}

/**
 * Writes out what the event loop has still queued for a descriptor, and waits
 * where it must. The callbacks of these writes are called later, as ever.
 * @throws {PosixError} the error of write(2)
 */
export function flushStream(fd: number): void {
  check(binding.flushStream(fd), 'write');
}

/**
 * write(2) until everything is out; waits where a non-blocking descriptor
 * cannot take more.
 * @throws {PosixError} the error of write(2)
 */
export function writeAll(fd: number, data: Uint8Array): void {
  check(binding.writeAll(fd, data), 'write');
}
