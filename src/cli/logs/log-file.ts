/** An open log file, and how far it has been read. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs';
import { exitCodes } from '../exit-codes';
import { Failure } from '../failure';

const newline = 0x0a;
const chunkSize = 64 * 1024;

/** Bytes that are remembered, to know the place again. */
const markSize = 64;

const { O_NONBLOCK, O_RDONLY } = constants;

/** Tells files apart, whatever they are called; a number may be used again. */
export const identify = ({ dev, ino, birthtimeMs }: Stats): string =>
  [dev, ino, birthtimeMs].join(':');

export class LogFile {
  readonly fd: number;
  readonly identity: string;
  /** What comes next. */
  offset = 0;
  /** The bytes before the offset, as they were read. */
  #mark: Buffer = Buffer.alloc(0);

  /**
   * @throws the errors of open(2), as `node:fs` has them
   * @throws {Failure} it is a directory, a device, a FIFO, a socket
   */
  constructor(path: string) {
    // Not to wait for who writes to a FIFO.
    this.fd = openSync(path, O_RDONLY | O_NONBLOCK);
    const stats = fstatSync(this.fd);
    this.identity = identify(stats);
    if (stats.isFile()) return;
    this.close();
    const hint = 'what was written there is kept nowhere to be read again';
    throw new Failure(`${path} is no file`, exitCodes.generic, hint);
  }

  get size(): number {
    return fstatSync(this.fd).size;
  }

  /** The first bytes, by which a copy is known. */
  get head(): Buffer {
    return this.#bytes(0, markSize);
  }

  /** Goes to the beginning of the last lines. */
  seekLines(count: number): void {
    const { size } = this;
    // The newline at the very end begins no other line.
    let [end, left] = [size - 1, count];
    while (end > 0 && left > 0) {
      const start = Math.max(0, end - chunkSize);
      const chunk = this.#bytes(start, end - start);
      end = start;
      for (let at = chunk.length - 1; at >= 0 && left > 0; at--) {
        if (chunk[at] === newline && --left === 0) end = start + at + 1;
      }
    }
    this.seek(count === 0 ? size : Math.max(0, end));
  }

  seek(offset: number): void {
    this.offset = offset;
    const start = Math.max(0, offset - markSize);
    this.#mark = this.#bytes(start, offset - start);
  }

  /** Hands on what there is, no further than `end`. */
  read(emit: (chunk: Buffer) => void, end = this.size): void {
    while (this.offset < end) {
      const wanted = Math.min(chunkSize, end - this.offset);
      const chunk = this.#bytes(this.offset, wanted);
      if (chunk.length === 0) return;
      this.offset += chunk.length;
      this.#mark = Buffer.concat([this.#mark, chunk]).subarray(-markSize);
      emit(chunk);
    }
  }

  /** Whether what was read of a file is in this one: false once it was emptied. */
  continues(read: LogFile = this): boolean {
    const { length } = read.#mark;
    return this.#bytes(read.offset - length, length).equals(read.#mark);
  }

  close(): void {
    closeSync(this.fd);
  }

  #bytes(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(this.fd, buffer, 0, length, position));
  }
}
