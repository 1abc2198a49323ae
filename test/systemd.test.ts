import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installServices } from './helpers/library';
import { nodes } from './helpers/nodes';
import { bootSystemd, needsSystemd } from './helpers/systemd';

const [node] = nodes;

describe('on a real systemd', { ...needsSystemd, concurrency: 2 }, () => {
  const service = (scenario: string, lines = ''): string => `
[Service]
Type=notify
ExecStart=${node.path} /mnt/systemd.cjs '${scenario}'
LimitCORE=0
${lines}
`;

  /** Boots with one service, `app.service`; the lines that the script prints. */
  async function boot(app: string, script: string): Promise<string[]> {
    const { stdout } = await bootSystemd({
      units: { 'app.service': app },
      script: `
        state() { echo $(property app ActiveState) $(property app SubState); }
        status_is() { [ "$(property app StatusText)" = "$1" ]; }
        state_is() { [ "$(state)" = "$1" ]; }
        signal() { systemctl kill --kill-who=main --signal="$1" app; }
        ${script}`,
      prepare: installServices,
    });
    return stdout.trimEnd().split('\n');
  }

  test('a service is up, reloading and stopping when it says so', async () => {
    const lines = await boot(
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
    assert.deepEqual(lines, [
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
    const lines = await boot(
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
    assert.deepEqual(lines, ['active running', 'watchdog', '0']);
  });

  test('a service that does not feed the watchdog is killed', async () => {
    const lines = await boot(
      service('unfed', 'WatchdogSec=500ms'),
      `
      systemctl start app
      wait_for state_is 'failed failed'
      property app Result`,
    );
    assert.deepEqual(lines, ['watchdog']);
  });

  test('a service can have the watchdog bite', async () => {
    const lines = await boot(
      service('trigger', 'WatchdogSec=1h'),
      `
      systemctl start app
      signal USR2
      wait_for state_is 'failed failed'
      property app Result`,
    );
    assert.deepEqual(lines, ['watchdog']);
  });

  test('a service can name another main process, and leave', async () => {
    const [pid, mainpid, ...state] = await boot(
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
    assert.equal(mainpid, pid);
    assert.deepEqual(state, ['sleep', 'active running', 'success']);
  });
});
