/** In which order daemons start: each after those that it depends on. */
import { didYouMean } from '../../validate';
import { ConfigurationError } from './configuration-error';

export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * The daemons of these names and all that they depend on, in the order of the
 * file where nothing else is asked.
 * @throws {ConfigurationError} dependencies go in a circle, or are not there
 */
export function inOrder<T extends Dependent>(
  all: ReadonlyMap<string, T>,
  names: Iterable<string> = all.keys(),
): T[] {
  const ordered = new Set<T>();
  const visit = (name: string, way: readonly string[]): void => {
    const start = way.indexOf(name);
    if (start !== -1) {
      const circle = [...way.slice(start), name].join(' -> ');
      throw new ConfigurationError(
        `daemons.${name}.dependsOn goes in a circle: ${circle}`,
      );
    }
    const daemon = all.get(name)!;
    if (ordered.has(daemon)) return;
    for (const [index, needed] of daemon.dependsOn.entries()) {
      if (!all.has(needed)) {
        const hint = didYouMean(needed, [...all.keys()]);
        throw new ConfigurationError(
          `daemons.${name}.dependsOn[${index}]: there is no daemon '${needed}'${hint}`,
        );
      }
      visit(needed, [...way, name]);
    }
    ordered.add(daemon);
  };
  for (const name of names) visit(name, []);
  return [...ordered];
}
