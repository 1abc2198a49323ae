import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Ajv from 'ajv';
import { checkDefinitions, keys } from '../src/cli/daemons/definition';
import { cli, type Site, withSite } from './helpers/site';
import { nodes } from './helpers/nodes';
import { needsRoot } from './helpers/scenario';

interface Schema {
  properties: Record<string, Schema>;
  definitions: { daemon: Schema };
  anyOf: Schema[];
}

const schema = JSON.parse(
  readFileSync(join(__dirname, '../schema/daemons.schema.json'), 'utf8'),
) as Schema;
const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);

const command = ['sleep', '1'];

/** Every key, and each kind of value that it takes. */
const right: Record<string, object[]> = {
  command: [{}, { command: 'sleep  1' }, { command: 'a|b', shell: true }],
  shell: [{ shell: false }],
  chmod: [{ chmod: true }],
  lineBuffered: [{ lineBuffered: true }],
  cwd: [{ cwd: '.' }],
  env: [{ env: {} }, { env: { PORT: '80', EMPTY: '' } }],
  user: [{ user: 'www-data' }, { user: 33 }],
  group: [{ group: 'adm' }, { group: 0 }],
  umask: [{ umask: '027' }, { umask: '22' }, { umask: '0027' }],
  log: [{ log: 'syslog' }],
  stdout: [{ stdout: 'out.log' }],
  stderr: [{ stdout: 'null', stderr: '/var/log/x' }],
  pidfile: [{ pidfile: 'x.pid' }],
  respawn: [
    { respawn: true },
    { respawn: {} },
    { respawn: { when: 'on-failure', delay: 1, maxDelay: 2, resetAfter: 3 } },
    { respawn: { limit: { restarts: 5, seconds: 60 }, finalCodes: [0, 255] } },
    { respawn: { orphan: 'keep', childPidfile: 'child.pid' } },
  ],
  ready: [{ ready: 'exec' }, { ready: 'notify' }, { ready: 'fd:3' }],
  readyTimeout: [{ readyTimeout: 1 }],
  stopSignal: [{ stopSignal: 'SIGINT' }],
  stopTimeout: [{ stopTimeout: 2147483647 }],
  killTimeout: [{ killTimeout: 5000 }],
  dependsOn: [{ dependsOn: [] }, { dependsOn: ['x'] }],
  delay: [{ delay: 0 }],
};

const wrong: [path: string, definition: object][] = [
  ['daemons.x.command', { command: undefined }],
  ['daemons.x.command', { command: ' ' }],
  ['daemons.x.command[0]', { command: [] }],
  ['daemons.x.command', { command: 'a | b' }],
  ['daemons.x.command', { command: "echo 'a b'", shell: false }],
  ['daemons.x.command', { shell: true }],
  ['daemons.x.command[1]', { command: ['a', 1] }],
  ['daemons.x.shell', { shell: 1 }],
  ['daemons.x.chmod', { chmod: '755' }],
  ['daemons.x.lineBuffered', { lineBuffered: 'yes' }],
  ['daemons.x.cwd', { cwd: '' }],
  ['daemons.x.env', { env: [] }],
  ['daemons.x.env.PORT', { env: { PORT: 80 } }],
  ['daemons.x.env', { env: { 'A=B': 'c' } }],
  ['daemons.x.user', { user: -1 }],
  ['daemons.x.group', { group: true }],
  ['daemons.x.umask', { umask: 27 }],
  ['daemons.x.umask', { umask: '089' }],
  ['daemons.x.log', { log: true }],
  ['daemons.x.log', { log: 'a', stderr: 'b' }],
  ['daemons.x.stdout', { stdout: 1 }],
  ['daemons.x.stderr', { stderr: '' }],
  ['daemons.x.pidfile', { pidfile: '' }],
  ['daemons.x.respawn', { respawn: 'yes' }],
  ['daemons.x.respawn.when', { respawn: { when: 'never' } }],
  ['daemons.x.respawn.limit.seconds', { respawn: { limit: { restarts: 1 } } }],
  ['daemons.x.respawn.finalCodes[0]', { respawn: { finalCodes: [256] } }],
  ['daemons.x.respawn.dely', { respawn: { dely: 1 } }],
  ['daemons.x.ready', { ready: 'fd:1' }],
  ['daemons.x.readyTimeout', { readyTimeout: 0 }],
  ['daemons.x.stopSignal', { stopSignal: 'TERM' }],
  ['daemons.x.stopTimeout', { stopTimeout: '5s' }],
  ['daemons.x.killTimeout', { killTimeout: 1.5 }],
  ['daemons.x.dependsOn', { dependsOn: 'y' }],
  ['daemons.x.delay', { delay: -1 }],
  ['daemons.x.umaks', { umaks: '027' }],
];

const file = (definition: object): unknown =>
  JSON.parse(JSON.stringify({ daemons: { x: { command, ...definition } } }));

describe('the schema and the command agree', () => {
  test('on the keys that there are', () => {
    const { daemon } = schema.definitions;
    assert.deepEqual(Object.keys(daemon.properties).sort(), [...keys].sort());
    assert.deepEqual(Object.keys(right).sort(), [...keys].sort());
  });

  for (const [key, definitions] of Object.entries(right)) {
    test(`on what is right for '${key}'`, () => {
      for (const definition of definitions) {
        checkDefinitions(file(definition));
        assert.ok(validate(file(definition)), JSON.stringify(validate.errors));
      }
    });
  }

  for (const [path, definition] of wrong) {
    test(`that ${JSON.stringify(definition)} is wrong, at ${path}`, () => {
      assert.throws(
        () => checkDefinitions(file(definition)),
        ({ message }: Error) =>
          /["'](daemons\..*?)["']/.exec(message)?.[1] === path,
      );
      assert.equal(validate(file(definition)), false);
    });
  }

  test('on what else is in the file', () => {
    for (const whole of [
      { daemons: {} },
      { $schema: './schema.json', delay: 1000, daemons: {} },
    ]) {
      checkDefinitions(whole);
      assert.ok(validate(whole));
    }
    for (const whole of [
      {},
      [],
      { daemons: [] },
      { daemons: {}, daemon: {} },
      { daemons: { '../x': { command } } },
      { daemons: { '': { command } } },
    ]) {
      assert.throws(() => checkDefinitions(whole));
      assert.equal(validate(whole), false, JSON.stringify(whole));
    }
  });
});

function refused(site: Site, text: string | object, expected: RegExp): void {
  site.write('daemons.json', text);
  const { status, stdout, stderr } = site.run('list');
  assert.deepEqual({ status, stdout }, { status: 6, stdout: '' });
  assert.match(stderr, expected);
}

/** Less what tests beside this one have started by `run --name`. */
const described = (names: string): string[] =>
  names.split('\n').filter((name) => name !== '' && !name.includes('test-'));

test('comments and trailing commas are allowed', () =>
  withSite((site) => {
    site.write(
      'daemons.json',
      '// all\n{ /* no */ "daemons": { "a": { "command": "sleep 1", }, } }',
    );
    const { status, stdout } = site.run('list', '--names');
    assert.deepEqual([status, described(stdout)], [0, ['a']]);
  }));

test('an error in the file is told with line and column, or the path inside', () =>
  withSite((site) => {
    refused(site, '{\n  "daemons": {,\n}', /daemons\.json:2:15: not JSON: /);
    refused(site, '', /daemons\.json:1:1: not JSON: value expected\n/);
    const twice = '{ "daemons": {\n "a": { "command": "x" },\n "a": {} } }';
    refused(site, twice, /daemons\.json:3:2: "a" is there twice\n/);
    refused(
      site,
      { daemons: { web: { command, umaks: '027' } } },
      /daemons\.json: The property 'daemons\.web\.umaks' is unknown, did you mean 'umask'\?/,
    );
    refused(
      site,
      '{ "daemons": { "__proto__": { "command": 1 } } }',
      /'daemons\.__proto__\.command'|"daemons\.__proto__\.command"/,
    );
  }));

test('dependencies that go in a circle, or are not there, are told', () =>
  withSite((site) => {
    const needing = (...dependsOn: string[]) => ({ command, dependsOn });
    refused(
      site,
      { daemons: { a: needing('b'), b: needing('c'), c: needing('b') } },
      /daemons\.b\.dependsOn goes in a circle: b -> c -> b\n/,
    );
    refused(
      site,
      {
        daemons: {
          web: needing('db', 'cahce'),
          db: { command },
          cache: { command },
        },
      },
      /daemons\.web\.dependsOn\[1\]: there is no daemon 'cahce', did you mean 'cache'\?\n/,
    );
  }));

test('two daemons cannot have one PID file', () =>
  withSite((site) => {
    const daemons = {
      a: { command, pidfile: 'x.pid' },
      b: { command, pidfile: './x.pid' },
    };
    refused(site, { daemons }, /'daemons\.b\.pidfile' is that of 'a'\. /);
  }));

test('what a name may have is told with one that cannot be', () =>
  withSite((site) => {
    refused(
      site,
      { daemons: { 日本: { command } } },
      /'日本' cannot be the name of a daemon\n {2}a name has letters, /,
    );
  }));

test('a file that cannot be read is told with its path', () =>
  withSite((site) => {
    const { status, stderr } = site.run('list', '--file', '.');
    assert.deepEqual(
      [status, stderr],
      [6, `posix-daemonize: ${site.folder} is a directory\n`],
    );
  }));

test(
  'a file that this user may not read is a matter of privileges',
  needsRoot,
  () =>
    withSite((site) => {
      site.describe({ a: { command } });
      chmodSync(site.path('daemons.json'), 0);
      chmodSync(site.folder, 0o755);
      const { status, stderr } = site.runWith('setpriv', [
        ...['--reuid', '65534', '--clear-groups'],
        ...[process.execPath, cli, 'list'],
      ]);
      assert.equal(status, 4);
      assert.match(stderr, /EACCES: .*daemons\.json'\n {2}run it as a user/);
    }),
);

test('a name that is not in the file is told with the nearest', () =>
  withSite((site) => {
    site.describe({ clock: { command } });
    const { status, stderr } = site.run('start', 'clokc');
    assert.equal(status, 6);
    assert.match(
      stderr,
      /there is no daemon 'clokc', did you mean 'clock'\?\n/,
    );
  }));

test('without a file and without a name there is nothing to start', () =>
  withSite((site) => {
    const { status, stderr } = site.run('start');
    assert.equal(status, 6);
    assert.match(stderr, /there is no daemons\.json here\n/);
  }));

test('a module can be the file, by its default export', () =>
  withSite((site) => {
    const body = `{ daemons: { a: { command: 'sleep 1' } } }`;
    const cases = [
      ['daemons.mjs', `export default ${body};`],
      ['other.cjs', `module.exports = ${body};`],
    ] as const;
    for (const [name, text] of cases) {
      site.write(name, text);
      const found = site.run('list', '--names', '--file', name);
      assert.deepEqual([found.status, found.stderr], [0, '']);
      assert.deepEqual(described(found.stdout), ['a']);
    }
    const { stdout } = site.run('list', '--names');
    assert.deepEqual(described(stdout), ['a'], 'found by itself');
    site.write('broken.mjs', 'throw new Error("no luck");');
    const broken = site.run('list', '--file', 'broken.mjs');
    assert.equal(broken.status, 6);
    assert.match(broken.stderr, /broken\.mjs:1:7: no luck\n/);
    site.write('broken.mjs', 'export default {;');
    const { stderr: words } = site.run('list', '--file', 'broken.mjs');
    assert.match(
      words,
      /broken\.mjs: Unexpected token ';'\n {2}`node --check .*broken\.mjs`/,
    );
    site.write('empty.mjs', '');
    const { stderr } = site.run('list', '--file', 'empty.mjs');
    assert.match(stderr, /empty\.mjs has no default export\n/);
  }));

for (const { version, path } of nodes) {
  const strips = Number.parseInt(version, 10) >= 22;
  const title = strips
    ? 'reads daemons.ts'
    : 'says that it reads no daemons.ts';
  test(`Node.js ${version} ${title}`, () =>
    withSite((site) => {
      const text = `const name: string = 'a';
        export default { daemons: { [name]: { command: 'sleep 1' } } };`;
      site.write('daemons.ts', text);
      const { status, stdout, stderr } = site.runWith(path, [
        cli,
        'list',
        '--names',
      ]);
      assert.equal(status, strips ? 0 : 6);
      assert.deepEqual(described(stdout), strips ? ['a'] : []);
      if (!strips)
        assert.match(stderr, /reads no TypeScript\n {2}use Node\.js 22\.18/);
    }));
}

test(
  "root executes nothing that another user's file says, unless told to",
  needsRoot,
  () =>
    withSite((site) => {
      const path = site.write('daemons.mjs', 'export default { daemons: {} };');
      chownSync(path, 65534, 65534);
      const { status, stderr } = site.run('list');
      assert.equal(status, 6);
      assert.match(
        stderr,
        /is not used: it belongs to the user with the uid 65534\n.*--file\n/,
      );
      assert.equal(site.run('list', '--file', path).status, 0);
    }),
);
