import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Daemon, type DaemonOptions } from 'posix-daemonize';
import type { Launched } from './helpers/launch';
import { firstLine } from './helpers/pidfile';
import { forEachProgram, Program } from './helpers/programs';
import { nodes } from './helpers/nodes';
import { asNobody, needsRoot, withFolder } from './helpers/scenario';

type Form = 'object' | 'subclass';
type Outcome = { result: unknown } & Record<
  'code' | 'message' | 'pid',
  string | number | undefined
>;

interface Started {
  pid: number;
  title: string;
  words: string[];
}

/** One program, and the files of its daemon. */
class Control {
  readonly pidfile: string;
  /** What gives the commands. */
  through: string[] = [];
  readonly #program: Program;
  readonly #form: Form;
  readonly #config: string;
  readonly #options: Partial<DaemonOptions>;

  constructor(
    program: Program,
    form: Form,
    folder: string,
    options: Partial<DaemonOptions> = {},
  ) {
    this.#program = program;
    this.#form = form;
    this.pidfile = join(folder, 'x.pid');
    this.#config = join(folder, 'config.json');
    this.#options = { name: 'clockd', pidfile: this.pidfile, ...options };
    this.configure({});
  }

  configure(moments: Record<string, string>): void {
    writeFileSync(this.#config, JSON.stringify(moments));
  }

  /** Launches a daemon that lives as long as `use`. */
  launch<T>(
    command: 'start' | 'restart',
    words: string[],
    use: Parameters<typeof Program.prototype.play<T>>[3],
  ): Promise<T> {
    return this.#program.play('command', this.#args(command, words), {}, use);
  }

  /** Gives a command that launches none: what it printed, and its status. */
  async give(
    command: string,
    ...words: unknown[]
  ): Promise<[status: number | null, outcome: Outcome]> {
    const { status, stdout } = await this.#program.play<Launched>(
      'command',
      this.#args(command, words),
      { through: this.through },
      (_, launched) => launched,
    );
    return [status, JSON.parse(stdout) as Outcome];
  }

  #args(command: string, words: readonly unknown[]): unknown[] {
    return [this.#form, this.#options, this.#config, command, ...words];
  }
}

const here = (pidfile: string) => new Daemon({ name: 'x', pidfile });
const [node] = nodes;
const program = new Program(node, 'program.cjs', 'daemon-class');

function withControl(
  use: (control: Control, folder: string) => Promise<void>,
  options?: Partial<DaemonOptions>,
): Promise<void> {
  return withFolder((folder) =>
    use(new Control(program, 'subclass', folder, options), folder),
  );
}

forEachProgram('daemon-class', (each) => {
  for (const form of ['object', 'subclass'] as const)
    test(`started, reloaded, restarted and stopped: ${form}`, () =>
      withFolder(async (folder) => {
        const control = new Control(each, form, folder);
        const { pidfile } = control;
        assert.deepEqual(await control.give('status'), [
          0,
          { result: { state: 'stopped' } },
        ]);
        await control.launch('start', ['a', 'b'], async (probe, launched) => {
          assert.deepEqual(
            [launched.status, launched.stdout, launched.stderr],
            [0, '', ''],
          );
          const { pid, title, words } = await probe.next<Started>();
          assert.equal(firstLine(pidfile), `${pid}\n`);
          assert.deepEqual([title, words], ['clockd', ['a', 'b']]);
          assert.deepEqual(await probe.next(), { result: 2 });
          const { state, ready, pid: running } = here(pidfile).status();
          assert.deepEqual([state, ready, running], ['running', true, pid]);

          const [status, refused] = await control.give('start');
          assert.deepEqual(
            [status, refused.code, refused.pid],
            [1, 'ERR_DAEMON_ALREADY_RUNNING', pid],
          );
          assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
          assert.deepEqual(await probe.next(), { reloaded: true });

          await control.launch('restart', [], async (second, restarted) => {
            assert.equal(restarted.status, 0);
            assert.deepEqual(await probe.gone(), [{ exit: 0 }]);
            const { pid: next } = await second.next<Started>();
            assert.notEqual(next, pid);
            assert.equal(firstLine(pidfile), `${next}\n`);
            assert.deepEqual(await control.give('stop'), [0, { result: next }]);
            await second.gone();
          });
        });
        assert.ok(!existsSync(pidfile));
        const [status, { code }] = await control.give('stop');
        assert.deepEqual([status, code], [1, 'ERR_DAEMON_NOT_RUNNING']);
      }));
});

for (const how of ['throw', 'reject'])
  test(`a restart whose check fails leaves the old daemon alone: ${how}`, () =>
    withControl((control) =>
      control.launch('start', [], async (probe) => {
        const { pid } = await probe.next<Started>();
        control.configure({ check: how });
        const [status, { message }] = await control.give('restart');
        assert.deepEqual([status, message], [1, 'check failed']);
        const found = here(control.pidfile).status();
        assert.deepEqual([found.state, found.pid], ['running', pid]);
        const [, start] = await control.give('start');
        assert.equal(start.code, 'ERR_DAEMON_ALREADY_RUNNING', 'before it');
      }),
    ));

test('a restart with options that cannot be leaves the old daemon alone', () =>
  withControl((control, folder) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      for (const [options, code] of [
        [{ stdout: join(folder, 'no/log') }, 'ENOENT'],
        [{ cwd: '/nonexistent' }, 'ENOENT'],
        [{ user: 'nobody-of-that-name' }, 'ERR_INVALID_ARG_VALUE'],
        [{ umask: -1 }, 'ERR_OUT_OF_RANGE'],
        [{ sighup: 'ignore' }, 'ERR_INVALID_ARG_VALUE'],
        [{ ready: 'soon' as 'now' }, 'ERR_INVALID_ARG_VALUE'],
      ] as const) {
        const other = new Control(program, 'subclass', folder, options);
        const [status, outcome] = await other.give('restart');
        assert.deepEqual([status, outcome.code], [1, code]);
        assert.equal(here(control.pidfile).status().pid, pid);
      }
    }),
  ));

for (const [how, ready] of [
  ['throw', 'now'],
  ['throw', 'manual'],
  ['reject', 'now'],
  ['reject later', 'manual'],
] as const)
  test(`a run that fails before it is ready fails the start: ${how}, ready: '${ready}'`, () =>
    withControl(
      async (control) => {
        control.configure({ run: how });
        await control.launch('start', [], (_, { status, stderr }) => {
          assert.deepEqual(
            [status, stderr],
            [1, 'posix-daemonize: run failed\n'],
          );
        });
        assert.ok(!existsSync(control.pidfile));
      },
      { ready },
    ));

test('a run that rejects once it is ready rejects the start, in the daemon', () =>
  withControl(async (control) => {
    control.configure({ run: 'reject later' });
    await control.launch('start', [], async (probe, { status }) => {
      assert.equal(status, 0);
      await probe.next<Started>();
      assert.deepEqual(await probe.next(), { message: 'run failed' });
    });
  }));

test('a start needs a known ready, and takes a name longer than an ident', () =>
  withControl(async (control, folder) => {
    const wrong = new Control(program, 'object', folder, {
      ready: 'soon' as 'now',
    });
    const [status, { code }] = await wrong.give('start');
    assert.deepEqual([status, code], [1, 'ERR_INVALID_ARG_VALUE']);
    assert.ok(!existsSync(control.pidfile));
    const name = 'n'.repeat(60);
    const long = new Control(program, 'object', folder, { name, syslog: true });
    await long.launch('start', [], async (probe, launched) => {
      assert.deepEqual([launched.status, launched.stderr], [0, '']);
      assert.equal((await probe.next<Started>()).title, name);
    });
  }));

test('a check that fails keeps a daemon from starting', () =>
  withControl(async (control) => {
    for (const check of ['throw', 'reject', 'reject, thenable']) {
      control.configure({ check });
      const [status, { message }] = await control.give('start');
      assert.deepEqual([status, message], [1, 'check failed']);
      assert.ok(!existsSync(control.pidfile));
    }
  }));

test('a reload that fails is told to who asked, and the daemon goes on', () =>
  withFolder((folder) => {
    const stderr = join(folder, 'log');
    const control = new Control(program, 'object', folder, { stderr });
    return control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      for (const how of ['throw', 'reject']) {
        control.configure({ reload: how });
        const [, { code, message, pid: named }] = await control.give('reload');
        assert.deepEqual(
          [code, message, named],
          [
            'ERR_DAEMON_RELOAD_FAILED',
            `process ${pid} of '${control.pidfile}' goes on as before: reload failed`,
            pid,
          ],
        );
      }
      control.configure({});
      assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
      const line = 'posix-daemonize: reload failed: reload failed\n';
      assert.equal(readFileSync(stderr, 'utf8'), line.repeat(2));
    });
  }));

test(
  'a reload needs none of the watches of files that a user may have',
  needsRoot,
  () =>
    withControl((control) =>
      control.launch('start', [], async (probe) => {
        const { pid } = await probe.next<Started>();
        const none =
          'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"';
        control.through = ['unshare', '-Ur', 'sh', '-c', none, 'sh'];
        assert.deepEqual(await control.give('reload'), [0, { result: pid }]);
        control.configure({ reload: 'throw' });
        const [, { code }] = await control.give('reload');
        assert.equal(code, 'ERR_DAEMON_RELOAD_FAILED');
      }),
    ),
);

test('a reload waits no longer than it was told, and notices the end', () =>
  withControl((control) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      control.configure({ reload: 'hang' });
      const [, late] = await control.give('reload', { timeout: 200 });
      assert.deepEqual(
        [late.code, late.pid],
        ['ERR_DAEMON_RELOAD_TIMEOUT', pid],
      );
    }),
  ));

test('a daemon that ends while it reloads is not ready', () =>
  withControl((control) =>
    control.launch('start', [], async (probe) => {
      const { pid } = await probe.next<Started>();
      control.configure({ reload: 'exit' });
      const [, ended] = await control.give('reload');
      assert.deepEqual([ended.code, ended.pid], ['ERR_DAEMON_NOT_READY', pid]);
      await probe.gone();
      assert.equal(here(control.pidfile).status().state, 'stopped');
    }),
  ));

test(
  'the name gives title, place and ident; wrong options are told',
  needsRoot,
  () => {
    const make = (options: object) =>
      new Daemon({ name: 'clockd', ...options });
    assert.equal(make({}).pidfile, '/run/clockd.pid');
    assert.equal(make({ pidfile: '/x/y.pid' }).pidfile, '/x/y.pid');
    assert.equal(make({ pidfile: { path: '/x/z.pid' } }).pidfile, '/x/z.pid');
    for (const [options, code, message] of [
      [{ name: 1 }, 'ERR_INVALID_ARG_TYPE', /options\.name/],
      [{ name: '../x' }, 'ERR_INVALID_ARG_VALUE', /name of a file/],
      [{ name: '' }, 'ERR_INVALID_ARG_VALUE', /name of a file/],
      [{ nmae: 'x' }, 'ERR_INVALID_ARG_VALUE', /did you mean 'name'/],
      [{ run: 1 }, 'ERR_INVALID_ARG_TYPE', /options\.run/],
      [{ pidfile: null }, 'ERR_INVALID_ARG_TYPE', /options\.pidfile/],
      [{ pidfile: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.pidfile/],
    ] as const)
      assert.throws(() => make(options), { code, message });
  },
);

test(
  'root that stops a daemon removes the file that this may not',
  needsRoot,
  () =>
    withControl(
      (control, folder) => {
        chmodSync(folder, 0o755);
        return control.launch('start', [], async (probe) => {
          const { pid } = await probe.next<Started>();
          assert.deepEqual(await control.give('stop'), [0, { result: pid }]);
          await probe.gone();
          assert.ok(!existsSync(control.pidfile));
          assert.equal(here(control.pidfile).status().state, 'stopped');
        });
      },
      { user: 'nobody' },
    ),
);

test('without run there is no start', async () => {
  const daemon = new Daemon({ name: 'x', pidfile: '/nonexistent/x.pid' });
  for (const start of [daemon.start(), daemon.restart()])
    await assert.rejects(start, {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /options\.run/,
    });
});

test(
  'the PID file of who is not root is where XDG_RUNTIME_DIR says',
  needsRoot,
  () =>
    withFolder(async (folder) => {
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, 'x.pid'), 'left');
      const ask = (XDG_RUNTIME_DIR?: string) =>
        program.play<unknown>(
          'command',
          ['object', { name: 'x' }, '/dev/null', 'status'],
          { through: asNobody, env: { XDG_RUNTIME_DIR } },
          (_, { stdout }) => JSON.parse(stdout),
        );
      assert.deepEqual(await ask(folder), { result: { state: 'stale' } });
      const { code, message } = (await ask()) as Outcome;
      assert.equal(code, 'ERR_INVALID_ARG_VALUE');
      assert.match(String(message), /XDG_RUNTIME_DIR is not set/);
    }),
);
