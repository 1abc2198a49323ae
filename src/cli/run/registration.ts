/** Remembers how a daemon was started, for `start`, `restart` and `list`. */
import type { Target } from '../../options';
import { placesOf } from '../places';
import { register } from '../registry';
import { warn } from '../terminal';
import type { Plan } from './plan';

/**
 * To be called once the daemon is up. Only a daemon at the default place of its
 * name can be found by that name.
 * @param args all that followed `run`
 */
export function remember(
  name: string,
  { settings: { pidfile, targets } }: Plan,
  args: string[],
): void {
  if (pidfile?.path !== placesOf(name).pidfile) return;
  const [, stdout, stderr] = targets;
  try {
    register({
      name,
      args,
      cwd: process.cwd(),
      pidfile: pidfile.path,
      stdout: nameOf(stdout),
      stderr: nameOf(stderr === 1 ? stdout : stderr),
    });
  } catch (error) {
    // The daemon is up: that is what was asked for.
    warn(`it cannot be restarted by its name: ${(error as Error).message}`);
  }
}

/** A descriptor leads to what nobody else can name. */
function nameOf(target: Target): string {
  const path = typeof target === 'object' ? target.path : target;
  return typeof path === 'string' && path !== 'inherit' ? path : 'null';
}
