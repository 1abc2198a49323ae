/** Streams to the log daemon of a place. */
import {
  createSyslogStream,
  type SyslogStream,
  type SyslogStreamOptions,
} from '../../src/index';
import { type LogPlace, withLogPlace } from './log-server';

export const ident = 'clock';

/** A stream to a place's log daemon, ended when `use` is over. */
export async function withStream(
  place: LogPlace,
  options: SyslogStreamOptions,
  use: (stream: SyslogStream) => Promise<void> | void,
): Promise<void> {
  const stream = createSyslogStream({ path: place.path, ident, ...options });
  try {
    await use(stream);
  } finally {
    stream.destroy();
  }
}

/** What one stream sends to one log daemon. */
export function played(
  options: SyslogStreamOptions,
  use: (stream: SyslogStream, place: LogPlace) => Promise<void> | void,
  kind: 'dgram' | 'stream' = 'dgram',
): Promise<void> {
  return withLogPlace(async (place) => {
    await place.listen(kind);
    await withStream(place, options, (stream) => use(stream, place));
  });
}
