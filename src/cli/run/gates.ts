/** Which gate there is for what `--ready` was given. */
import type { Deadline } from './deadline';
import { FdGate } from './fd-gate';
import { NotifyGate } from './notify-gate';
import type { Gate } from './gate';
import type { Ready } from './values';

/**
 * @param uids whose word counts
 * @param deadline moved when it asks for more time
 */
export function openGate(
  ready: Ready,
  uids: readonly number[],
  deadline: Deadline,
): Gate | undefined {
  switch (ready.by) {
    case 'exec':
      return undefined;
    case 'notify':
      return new NotifyGate(uids, deadline);
    case 'fd':
      return new FdGate(ready.fd);
  }
}
