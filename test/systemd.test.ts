import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { documented } from './helpers/documented';
import { installLibrary, installServices } from './helpers/library';
import { nodes } from './helpers/nodes';
import { type Booted, bootSystemd, needsSystemd } from './helpers/systemd';

const [node] = nodes;

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** What a service tells who connects. */
interface Told {
  name: string;
  given: { fd: number; name: string }[];
  left: object;
  inherited: string[];
}

describe('on a real systemd', { ...needsSystemd, concurrency: 2 }, () => {
  const service = (scenario: string, lines = ''): string => `
[Service]
Type=notify
ExecStart=${node.path} /mnt/systemd.cjs '${scenario}'
LimitCORE=0
${lines}
`;

  /** Boots with one service, `app.service`; the script has a few words for it. */
  function boot(app: string, script: string): Promise<Booted> {
    return bootSystemd({
      units: { 'app.service': app },
      script: `
        state() { echo $(property app ActiveState) $(property app SubState); }
        status_is() { [ "$(property app StatusText)" = "$1" ]; }
        state_is() { [ "$(state)" = "$1" ]; }
        signal() { systemctl kill --kill-who=main --signal="$1" app; }
        ${script}`,
      prepare: installServices,
    });
  }

  test('a service is up, reloading and stopping when it says so', async () => {
    const { stdout } = await boot(
      service('states', 'ExecReload=/bin/kill -HUP $MAINPID'),
      `
      systemctl start --no-block app
      wait_for status_is starting
      state
      signal USR2
      systemctl start app # waits for the start under way
      state; property app StatusText
      systemctl reload --no-block app
      wait_for status_is reading
      state
      signal USR2
      wait_for status_is serving
      state
      systemctl stop --no-block app
      wait_for status_is leaving
      state; property app StatusErrno
      signal USR2
      wait_for state_is 'inactive dead'
      property app Result`,
    );
    assert.deepEqual(lines(stdout), [
      'activating start',
      'active running',
      'serving',
      'reloading reload',
      'active running',
      'deactivating stop-sigterm',
      '5',
      'success',
    ]);
  });

  test('a service that feeds the watchdog lives until its event loop stands still', async () => {
    const { stdout } = await boot(
      service('fed', 'WatchdogSec=1'),
      `
      told() { property app WatchdogTimestampMonotonic; }
      lives_on() { [ $(told) -gt $((first + 3000000)) ]; }
      systemctl start app
      first=$(told)
      wait_for lives_on
      state
      signal USR2
      wait_for state_is 'failed failed'
      property app Result; property app NRestarts`,
    );
    assert.deepEqual(lines(stdout), ['active running', 'watchdog', '0']);
  });

  test('a service that does not feed the watchdog is killed', async () => {
    const { stdout } = await boot(
      service('unfed', 'WatchdogSec=500ms'),
      `
      systemctl start app
      wait_for state_is 'failed failed'
      property app Result`,
    );
    assert.deepEqual(lines(stdout), ['watchdog']);
  });

  test('a service can have the watchdog bite', async () => {
    const { stdout } = await boot(
      service('trigger', 'WatchdogSec=1h'),
      `
      systemctl start app
      signal USR2
      wait_for state_is 'failed failed'
      property app Result`,
    );
    assert.deepEqual(lines(stdout), ['watchdog']);
  });

  test('a service can name another main process, and leave', async () => {
    const { stdout } = await boot(
      service('main pid'),
      `
      systemctl start app
      cat /mnt/pid; echo
      property app MainPID
      cat /proc/$(property app MainPID)/comm
      state
      systemctl stop app
      property app Result`,
    );
    const [pid, mainpid, ...state] = lines(stdout);
    assert.equal(mainpid, pid);
    assert.deepEqual(state, ['sleep', 'active running', 'success']);
  });

  test('a stored descriptor comes back after a restart, until it is removed', async () => {
    const { stdout, files } = await boot(
      service('store', 'FileDescriptorStoreMax=4'),
      `
      stored() { property app NFileDescriptorStore; }
      none_stored() { [ $(stored) = 0 ]; }
      systemctl start app
      stored
      systemctl restart app
      stored
      signal HUP
      wait_for none_stored
      property app StatusText`,
    );
    assert.deepEqual(lines(stdout), ['1', '1', 'removed']);
    assert.deepEqual(JSON.parse(files.stored!), {
      stored: [{ fd: 3, name: 'state' }],
      text: 'kept',
    });
  });

  test('a service is started by its sockets, which know their names', async () => {
    const { stdout } = await bootSystemd({
      units: {
        'app.service': service('serve', 'NonBlocking=yes'),
        'app.socket': '[Socket]\nListenStream=127.0.0.1:8080\n',
        'admin.socket': `
          [Socket]
          ListenStream=/run/admin
          FileDescriptorName=admin
          Service=app.service`.replace(/^ +/gm, ''),
      },
      script: `
        systemctl start app.socket admin.socket
        property app ActiveState
        cat </dev/tcp/127.0.0.1/8080
        property app ActiveState`,
      prepare: installServices,
    });
    const [before, told, after] = lines(stdout);
    assert.deepEqual([before, after], ['inactive', 'active']);
    const { name, given, left, inherited } = JSON.parse(told!) as Told;
    assert.equal(name, 'app.socket');
    assert.deepEqual(given.map(({ name }) => name).sort(), [
      'admin',
      'app.socket',
    ]);
    assert.deepEqual([left, inherited], [{}, []]);
  });

  test('the program and the units of docs/systemd.md work', async () => {
    const { stdout } = await bootSystemd({
      units: {
        'clock.service': documented('/etc/systemd/system/clock.service'),
        'clock.socket': documented('/etc/systemd/system/clock.socket'),
      },
      prepare(folder) {
        installLibrary(folder);
        const program = documented('/srv/clock/clock.mjs');
        writeFileSync(join(folder, 'clock.mjs'), program);
      },
      script: `
        [ ${node.path} -ef /usr/bin/node ] || cp ${node.path} /usr/bin/node
        systemd-sysusers --inline 'u clock -'
        mkdir /srv/clock
        cp -r /mnt/clock.mjs /mnt/node_modules /srv/clock
        zone() { echo "$1" >/etc/clock.zone; }
        ask() {
          exec 3<>/dev/tcp/127.0.0.1/8080
          printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
          tail -1 <&3
        }
        show() { property clock "$1"; }
        reloaded() { [ "$(show StatusText)" = 'tells the time of Asia/Tokyo' ]; }

        zone UTC
        systemctl start clock.service
        ask
        show StatusText
        stat --format %U /proc/$(show MainPID)
        [ $(show WatchdogTimestampMonotonic) -gt 0 ] && echo watched
        systemctl stop clock
        show Result

        systemctl start clock.socket
        show ActiveState
        ask
        zone Asia/Tokyo
        systemctl reload clock
        wait_for reloaded
        show ActiveState
        systemctl stop clock.socket clock.service
        show Result`,
    });
    const time = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
    assert.deepEqual(
      lines(stdout).map((line) => (time.test(line) ? 'the time' : line)),
      [
        'the time',
        'tells the time of UTC',
        'clock',
        'watched',
        'success',
        'inactive',
        'the time',
        'active',
        'success',
      ],
    );
  });
});
