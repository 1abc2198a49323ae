import { describe } from 'node:test';
import {
  type LaunchOptions,
  type Launched,
  type Launching,
  type Probe,
  start,
  withDaemon,
  withLaunching,
} from './launch';
import { nodes, type TestNode } from './nodes';

const doors = [
  ['a CommonJS program', 'program.cjs'],
  ['an ES module with top-level await', 'program.mjs'],
] as const;

/** Plays the scenarios of one fixture, on one Node.js, in one module system. */
export class Program {
  readonly node: TestNode;
  readonly #door: string;
  readonly #scenarios: string;

  constructor(node: TestNode, door: string, scenarios: string) {
    this.node = node;
    this.#door = door;
    this.#scenarios = scenarios;
  }

  /**
   * Starts a scenario; its arguments arrive as they are, by JSON. The caller
   * has to `await probe.end()`.
   */
  start(
    scenario: string,
    args: readonly unknown[] = [],
    options: LaunchOptions = {},
  ): Launching {
    return start(this.node, this.#door, this.#words(scenario, args), options);
  }

  /** As `play`, from the start of the launching process on. */
  watch<T>(
    scenario: string,
    args: readonly unknown[],
    options: LaunchOptions,
    use: (launching: Launching) => Promise<T>,
  ): Promise<T> {
    return withLaunching(this.start(scenario, args, options), use);
  }

  /**
   * Runs the launching process of a scenario to its end and hands the daemon
   * that it left to `use`, as `withDaemon` does.
   */
  play<T>(
    scenario: string,
    args: readonly unknown[],
    options: LaunchOptions,
    use: (probe: Probe, launched: Launched) => Promise<T> | T,
  ): Promise<T> {
    const words = this.#words(scenario, args);
    return withDaemon(this.node, this.#door, words, options, use);
  }

  #words(scenario: string, args: readonly unknown[]): string[] {
    return [this.#scenarios, scenario, JSON.stringify(args)];
  }
}

/**
 * Declares tests for each Node.js version and each module system. They play
 * scenarios of `test/fixtures/<scenarios>.cjs`.
 */
export function forEachProgram(
  scenarios: string,
  declare: (program: Program) => void,
): void {
  for (const node of nodes) {
    for (const [kind, door] of doors) {
      describe(`${kind}, Node.js ${node.version}`, { concurrency: 2 }, () => {
        declare(new Program(node, door, scenarios));
      });
    }
  }
}
