import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { listenFds } from '../src/systemd/activation';
import { withEnv } from './helpers/environment';
import { installServices } from './helpers/library';
import { within } from './helpers/launch';
import { nodes, type TestNode } from './helpers/nodes';
import { until, withFolder } from './helpers/scenario';
import { needsSocketActivate } from './helpers/systemd';

const [node] = nodes;
const DEADLINE = 10_000;
const pid = String(process.pid);

const variables = [
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PIDFDID',
] as const;

type Variables = Partial<Record<(typeof variables)[number], string>>;

/** Does something with exactly these variables. */
function given<T>(values: Variables, use: () => T): T {
  const all = variables.map((name) => [name, values[name]]);
  return withEnv(Object.fromEntries(all) as Variables, use);
}

test('without descriptors for this process there are none', () => {
  for (const values of [
    {},
    { LISTEN_FDS: '1' },
    { LISTEN_PID: pid },
    { LISTEN_PID: '1', LISTEN_FDS: '1' },
    { LISTEN_PID: '1', LISTEN_FDS: 'many', LISTEN_FDNAMES: 'a:b:c' },
  ])
    assert.deepEqual(given(values, listenFds), []);
});

test('descriptors begin at 3 and have their names', () => {
  const both = { LISTEN_PID: pid, LISTEN_FDS: '2' };
  for (const [values, names] of [
    [both, ['unknown', 'unknown']],
    [{ ...both, LISTEN_FDNAMES: 'web:admin' }, ['web', 'admin']],
    [{ ...both, LISTEN_FDNAMES: ':' }, ['', '']],
  ] as const)
    assert.deepEqual(given(values, listenFds), [
      { fd: 3, name: names[0] },
      { fd: 4, name: names[1] },
    ]);
});

test('malformed variables are an error that names them', () => {
  const one = { LISTEN_PID: pid, LISTEN_FDS: '1' };
  for (const [values, message] of [
    [{ ...one, LISTEN_PID: 'me' }, /env\.LISTEN_PID' must be a number above 0/],
    [{ ...one, LISTEN_PID: '' }, /env\.LISTEN_PID'/],
    [{ ...one, LISTEN_FDS: '0' }, /env\.LISTEN_FDS' must be a number above 0/],
    [{ ...one, LISTEN_FDS: '-1' }, /env\.LISTEN_FDS'/],
    [{ ...one, LISTEN_FDS: '1.5' }, /env\.LISTEN_FDS'/],
    [
      { ...one, LISTEN_FDS: '2147483648' },
      /env\.LISTEN_FDS' counts the descriptor \d+, which is not open/,
    ],
    [
      { ...one, LISTEN_FDNAMES: 'a:b' },
      /env\.LISTEN_FDNAMES' must have as many names as LISTEN_FDS says: 1/,
    ],
  ] as const)
    assert.throws(() => given(values, listenFds), {
      code: 'ERR_INVALID_ARG_VALUE',
      message,
    });
});

test('unset takes the variables away, whatever comes of it', () => {
  const values = {
    LISTEN_PID: pid,
    LISTEN_FDS: '1',
    LISTEN_FDNAMES: 'a',
    LISTEN_PIDFDID: '7',
  };
  const left = (): (string | undefined)[] =>
    variables.map((name) => process.env[name]);
  given(values, () => {
    assert.equal(listenFds().length, 1);
    assert.deepEqual(left(), [pid, '1', 'a', '7']);
    assert.equal(listenFds({ unset: true }).length, 1);
    assert.deepEqual(left(), Array(4).fill(undefined));
    assert.deepEqual(listenFds(), []);
  });
  for (const wrong of [{ LISTEN_PID: '1' }, { LISTEN_FDS: 'x' }])
    given({ ...values, ...wrong }, () => {
      try {
        listenFds({ unset: true });
      } catch {
        assert.ok('LISTEN_FDS' in wrong);
      }
      assert.deepEqual(left(), Array(4).fill(undefined));
    });
});

test('wrong arguments are told as Node tells them', () => {
  assert.throws(() => listenFds({ unset: 1 } as never), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  assert.throws(() => listenFds({ unsett: true } as never), {
    message: /'options\.unsett' is unknown, did you mean 'unset'\?/,
  });
});

test('programs started later do not inherit the descriptors', async () => {
  await withFolder(async (folder) => {
    installServices(folder);
    const program = join(folder, 'systemd.cjs');
    const start = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3</dev/null';
    const { stdout } = await promisify(execFile)('sh', [
      ...['-c', start, 'sh', node.path, program, 'close on exec'],
    ]);
    assert.deepEqual(JSON.parse(stdout), { before: false, after: true });
  });
});

/** What a service tells who connects. */
interface Told {
  pid: number;
  ppid: number;
  name: string;
  given: { fd: number; name: string }[];
  left: Variables;
  inherited: string[];
}

/** Connects, hears what is told, and lets the service go. */
async function ask(path: string): Promise<Told> {
  const connection = createConnection(path);
  const lines = createInterface({ input: connection });
  const [line] = (await within(DEADLINE, 'a word', once(lines, 'line'))) as [
    string,
  ];
  connection.destroy();
  return JSON.parse(line) as Told;
}

describe('by systemd-socket-activate', needsSocketActivate, () => {
  /** Starts a scenario at the first connection, and asks it by the second. */
  async function activate(
    { path }: TestNode,
    folder: string,
    scenario: string,
  ): Promise<{ launcher: number; status: number | null; told: Told }> {
    installServices(folder);
    const paths = [join(folder, 'web'), join(folder, 'admin')];
    const activator = spawn(
      'systemd-socket-activate',
      [
        '--setenv=POSIX_DAEMONIZE_TEST_RUN',
        '--fdname=web:admin',
        ...paths.map((path) => `--listen=${path}`),
        ...[path, join(folder, 'systemd.cjs'), scenario, 'once'],
      ],
      { stdio: ['ignore', 'inherit', 'pipe'] },
    );
    const exit = once(activator, 'exit');
    try {
      const messages = createInterface({ input: activator.stderr });
      const listening = async (): Promise<void> => {
        for await (const line of messages)
          if (line.startsWith(`Listening on ${paths[1]!}`)) return;
      };
      await within(DEADLINE, 'the sockets', listening());
      activator.stderr.resume();
      const told = await ask(paths[1]!);
      const [status] = (await within(DEADLINE, 'the end', exit)) as [number];
      return { launcher: activator.pid!, status, told };
    } finally {
      activator.kill('SIGKILL');
    }
  }

  const expected = {
    name: 'admin',
    given: [
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
    ],
    left: {},
    inherited: [],
  };

  for (const node of nodes)
    test(`a service on Node.js ${node.version} answers on the socket that it was given`, async () => {
      await withFolder(async (folder) => {
        const { launcher, status, told } = await activate(
          node,
          folder,
          'serve',
        );
        const { pid, ppid, ...others } = told;
        assert.deepEqual(others, expected);
        assert.deepEqual([pid, ppid, status], [launcher, process.pid, 0]);
      });
    });

  test('a daemon answers on the socket that its launcher was given', async () => {
    await withFolder(async (folder) => {
      const { launcher, status, told } = await activate(
        node,
        folder,
        'serve as a daemon',
      );
      const { pid, ppid, ...others } = told;
      assert.deepEqual(others, expected);
      assert.notEqual(pid, launcher);
      assert.notEqual(ppid, launcher);
      assert.equal(status, 0);
      await until('the end of the daemon', () => !lives(pid));
    });
  });
});

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
