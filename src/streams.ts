/**
 * `process.stdin`, `stdout` and `stderr` that were used before their descriptors
 * change. The objects stay the same, so that the console and every logger that
 * holds one goes on with it; what changes is what they write to.
 */
import { createReadStream, fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { flushStream, type LoopHandle, writeAll } from './posix/loop';

type Encoding = BufferEncoding | 'buffer';
type Done = (error?: Error | null) => void;

/** The parts of Node's streams that are needed here and have no type. */
interface Internals {
  _handle: { close(): void; setBlocking?(on: boolean): number } | null;
  _write(chunk: Buffer | string, encoding: Encoding, done: Done): void;
  _writev?: null;
  _refreshSize?: () => void;
  _writableState: {
    getBuffer(): { chunk: Buffer | string; encoding: Encoding }[];
  };
  isTTY?: boolean;
  isRaw?: boolean;
  setRawMode?: (mode: boolean) => void;
}
type StandardStream = Omit<Socket, keyof Internals> & Internals;

const names = ['stdin', 'stdout', 'stderr'] as const;

/** What the stream of a terminal no longer says of itself. */
const noTerminal = {
  isTTY: false,
  columns: undefined,
  rows: undefined,
  hasColors: () => false,
  getColorDepth: () => 1,
  _refreshSize() {},
};

/**
 * Is there an object for this descriptor already, with a handle in the event
 * loop? Asking `process` for it would make one. Those on files have no handle
 * and write where the descriptor leads: they need nothing.
 */
export function isInUse(fd: number, handles: readonly LoopHandle[]): boolean {
  // A terminal is opened once more by libuv, under another number.
  if (fstatSync(fd).isCharacterDevice())
    return handles.some(({ type }) => type === 'tty');
  return handles.some((handle) => handle.fd === fd);
}

/** A standard stream that is in use. */
export class LiveStream {
  readonly #fd: number;
  readonly #stream: StandardStream;
  /** How many of the chunks that the stream still holds are written. */
  #written = 0;
  #ownWrite: Internals['_write'] | undefined;

  constructor(fd: number) {
    this.#fd = fd;
    this.#stream = process[names[fd] as 'stdout'] as unknown as StandardStream;
  }

  /**
   * Sends what was written so far to where it was written: what the event loop
   * has queued, then what waits in the stream itself. May be called again.
   */
  flush(): void {
    if (this.#fd === 0) return this.#leaveRawMode();
    flushStream(this.#fd);
    const stream = this.#stream;
    const held = stream._writableState.getBuffer();
    if (held.length === this.#written) return;
    for (const { chunk, encoding } of held.slice(this.#written))
      writeAll(this.#fd, toBytes(chunk, encoding));
    this.#written = held.length;
    // The stream will come to these chunks once its queue is reported done.
    const write = (this.#ownWrite ??= stream._write.bind(stream));
    this.#replaceWrite((chunk, encoding, done) => {
      write(chunk, encoding, done);
    });
  }

  /**
   * As `flush`, where the old target may be gone, as a terminal that was closed:
   * what it has not taken then goes to the new one.
   */
  flushIfPossible(): void {
    try {
      this.flush();
    } catch {
      // Told by the stream itself, for those writes that it has handed over.
    }
  }

  // The terminal belongs to the shell again.
  #leaveRawMode(): void {
    if (this.#stream.isRaw) this.#stream.setRawMode?.(false);
  }

  #replaceWrite(write: Internals['_write']): void {
    Object.assign(this.#stream, {
      _writev: null,
      _write: (chunk: Buffer | string, encoding: Encoding, done: Done) => {
        if (this.#written === 0) return write(chunk, encoding, done);
        this.#written--;
        done();
      },
    });
  }

  /**
   * Lets go of a pipe that stays: what the handle has set on it, which holds for
   * all that share the pipe, is taken back.
   */
  detach(): void {
    this.#stream._handle?.setBlocking?.(true);
    this.release();
  }

  /** The stream lets go of the old target: to be called before dup2. */
  release(): void {
    this.#stream._handle?.close();
    this.#stream._handle = null;
  }

  /** The stream goes on with what its descriptor leads to now. */
  resume(): void {
    if (this.#fd === 0) return this.#endInput();
    Object.assign(this.#stream, noTerminal);
    this.#replaceWrite((chunk, encoding, done) => {
      try {
        writeAll(this.#fd, toBytes(chunk, encoding));
      } catch (error) {
        return done(error as Error);
      }
      done();
    });
  }

  // Who read the old input sees its end.
  #endInput(): void {
    this.#stream.push(null);
    renewInput();
  }
}

/**
 * Who asks for `process.stdin` from now on reads descriptor 0 as it is now, also
 * where the old one came to its end before and left no handle behind.
 */
export function renewInput(): void {
  let input: NodeJS.ReadableStream | undefined;
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get: () => (input ??= createReadStream('', { fd: 0, autoClose: false })),
  });
}

function toBytes(chunk: Buffer | string, encoding: Encoding): Uint8Array {
  if (typeof chunk !== 'string') return chunk;
  return Buffer.from(chunk, encoding === 'buffer' ? 'utf8' : encoding);
}
