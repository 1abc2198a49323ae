/** Why the process ends, as far as an `'exit'` listener can tell. */

/** Of stack frames: `process.exit` is below the listener and `emit`. */
const depth = 20;

/** `process.exit() at FILE:LINE:COLUMN`, or that there is nothing left to do. */
export function describeEnd(): string {
  const frames = stack().split('\n');
  const exit = frames.findIndex((frame) =>
    /\bexit\b[^(]*\(node:internal\/process\//.test(frame),
  );
  if (exit === -1) return 'nothing left to do';
  const caller = frames
    .slice(exit + 1)
    .map(placeOf)
    .find(Boolean);
  return caller ? `process.exit() at ${caller}` : 'process.exit()';
}

/** As Node itself shows it, whatever the program has made of that. */
function stack(): string {
  const limit = Error.stackTraceLimit;
  const prepare: unknown = Reflect.get(Error, 'prepareStackTrace');
  // Reflect does not throw where the program has frozen it.
  Reflect.set(Error, 'stackTraceLimit', depth);
  Reflect.set(Error, 'prepareStackTrace', undefined);
  try {
    return String(new Error().stack);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
    Reflect.set(Error, 'prepareStackTrace', prepare);
  }
}

/** Where a frame is, if that is neither Node's own nor evaluated text. */
function placeOf(frame: string): string | undefined {
  const place = /^ +at (?:.*? \()?((?:\/|\w+:\/\/|\[eval\]).*:\d+:\d+)\)?$/;
  return place.exec(frame)?.[1];
}
