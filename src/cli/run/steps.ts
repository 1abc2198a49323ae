/**
 * The steps that make a daemon of a command: those of `daemonize`, less what
 * would need JavaScript to go on, and execve(2) at the end.
 */
import { listInherited, setCloexec } from '../../posix/descriptors';
import { resetSignals } from '../../posix/dispositions';
import { execvp } from '../../posix/process';
import type { Step } from '../../step';
import { stepsFor } from '../../steps';
import { listActivated } from '../../systemd/activation';
import { makeExecutable } from './command';
import type { Plan } from './plan';
import { Supervised } from './supervised';
import type { Wires } from './wires';

/** What of a step of `daemonize` is different here; null: it is left out. */
const changes: Readonly<Record<string, Partial<Step> | null>> = {
  // The launching process goes on with its event loop: launch.ts.
  fork: { run: () => {} },
  // A shell that the command starts would inherit that it cannot be stopped.
  signals: {
    does: () =>
      'empty the signal mask; ignored real-time signals to their default',
    run: resetSignals,
  },
  // Its lock ends with this program; start time and boot say who it is.
  pid: {
    does: ({ pidfile }) =>
      `write the pid to ${pidfile!.path}, with what tells it from a later one`,
    run: ({ pidfile }) => pidfile!.write(undefined, { lock: false }),
  },
  sigterm: null,
  ready: null,
};

export function stepsOf(
  plan: Plan,
  wires?: Wires,
): { before: Step[]; after: Step[] } {
  const { before, after } = stepsFor(plan.settings);
  const supervised = plan.respawn && new Supervised(plan, plan.respawn, wires);
  return {
    before: [
      ...executable(plan),
      ...before.flatMap(changed),
      ...(supervised?.before ?? []),
    ],
    after: [
      ...after.flatMap((step) =>
        supervised && step.name === 'pid' ? [locked(step)] : changed(step),
      ),
      ...[variables(plan, wires), kept(plan, wires)].flat(),
      supervised?.exec ?? exec(plan),
    ],
  };
}

/** A supervisor stays, and its lock; whether its command is ready it cannot say. */
const locked = (step: Step): Step => ({
  ...step,
  run: ({ pidfile }) => pidfile!.write(),
});

function changed(step: Step): Step[] {
  const change = changes[step.name];
  return change === null ? [] : [{ ...step, ...change }];
}

function executable({ chmod }: Plan): Step[] {
  if (chmod === undefined) return [];
  return [
    {
      name: 'chmod',
      source: '--chmod',
      does: () => `make ${chmod} executable for those who may read it`,
      run: () => makeExecutable(chmod),
    },
  ];
}

function variables({ variables, ready }: Plan, wires?: Wires): Step[] {
  const names = Object.keys(variables);
  if (ready.by === 'notify') names.push('NOTIFY_SOCKET');
  if (names.length === 0) return [];
  return [
    {
      name: 'variables',
      source: '--set-env, --line-buffered, --ready notify',
      does: () => `set ${names.join(', ')}`,
      run: () => void Object.assign(process.env, variables, wires?.variables()),
    },
  ];
}

function kept({ settings, ready }: Plan, wires?: Wires): Step[] {
  const { preserveFds, closeFds, detach } = settings;
  const listed = preserveFds.map(String);
  if (closeFds === 'none') listed.push('all that were inherited');
  if (ready.by === 'fd' && detach) listed.push(`${ready.fd} (readiness)`);
  return [
    {
      name: 'descriptors',
      source: 'POSIX.1-2017 execve(): FD_CLOEXEC',
      does: () =>
        `0, 1 and 2 stay open in the command${listed.map((fd) => `, ${fd}`).join('')}`,
      run: () => {
        const inherited = closeFds === 'none' ? listInherited() : [];
        for (const fd of [...preserveFds, ...listActivated(), ...inherited])
          setCloexec(fd, false);
        wires?.pass();
      },
    },
  ];
}

function exec({ command: { file, argv } }: Plan): Step {
  const words = argv.map((word) => `'${word}'`).join(', ');
  return {
    name: 'exec',
    source: 'POSIX.1-2017 execve()',
    does: () => `execve('${file}', [${words}]): nothing of Node is left`,
    run: () => execvp(file, argv),
  };
}

/** A line for each step, in order. Nothing is done. */
export function explain(plan: Plan): string[] {
  const { before, after } = stepsOf(plan);
  const all = [...before, ...after];
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(
    ({ name, does }) => `${name.padEnd(width)}  ${does(plan.settings)}`,
  );
}
