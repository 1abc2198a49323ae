// Each option of daemonize() that is wrong is refused, by its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from 'posix-daemonize';

test('options that are wrong are refused by name', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const value = 'ERR_INVALID_ARG_VALUE';
  const range = 'ERR_OUT_OF_RANGE';
  const cases: [options: object, code: string, name: string, more?: RegExp][] =
    [
      [{ chroot: 1 }, type, 'chroot'],
      [{ chroot: '' }, type, 'chroot'],
      [{ chroot: '/\0' }, value, 'chroot'],
      [{ pidfile: 1 }, type, 'pidfile'],
      [{ pidfile: '' }, type, 'pidfile'],
      [{ pidfile: null }, type, 'pidfile'],
      [{ pidfile: {} }, type, 'pidfile.path'],
      [{ pidfile: { path: '/x', mode: '644' } }, type, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mode: 0o1000 } }, range, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mode: 0o646 } }, value, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mode: 0o664 } }, value, 'pidfile.mode'],
      [{ pidfile: { path: '/x', mkdir: 1 } }, type, 'pidfile.mkdir'],
      [
        { pidfile: { path: '/x', mkdri: true } },
        value,
        'pidfile.mkdri',
        /mkdir/,
      ],
      [{ stdout: { path: '/x', mode: -1 } }, range, 'stdout.mode'],
      [{ stderr: { path: '/x', mkdir: 'yes' } }, type, 'stderr.mkdir'],
      [{ stdin: 'syslog' }, value, 'stdin'],
      [{ stdin: { path: '/x' } }, type, 'stdin'],
      [{ syslog: 'daemon' }, type, 'syslog'],
      [{ syslog: { ident: 1 } }, type, 'syslog.ident'],
      [
        { syslog: { facility: 'deamon' } },
        value,
        'syslog.facility',
        /'daemon'/,
      ],
      [{ syslog: { options: 'pid' } }, type, 'syslog.options'],
      [{ syslog: { options: ['pit'] } }, value, 'syslog.options[0]', /'pid'/],
      [{ syslog: { mask: 'err' } }, type, 'syslog.mask'],
      [{ syslog: { mask: {} } }, value, 'syslog.mask.upTo'],
      [
        { syslog: { mask: { upTo: 'error' } } },
        value,
        'syslog.mask.upTo',
        /'err'/,
      ],
      [{ syslog: { mask: ['err', 'all'] } }, value, 'syslog.mask[1]'],
      [{ syslog: { idnet: 'x' } }, value, 'syslog.idnet', /'ident'/],
      [{ syslog: { path: '/x' } }, value, 'syslog.path'],
      [{ syslog: { maxQueueBytes: '1' } }, type, 'syslog.maxQueueBytes'],
      [{ syslog: { maxLength: 1 } }, range, 'syslog.maxLength'],
      [{ syslog: { flushTimeout: -1 } }, range, 'syslog.flushTimeout'],
      [{ syslog: { fallback: '' } }, value, 'syslog.fallback'],
      [{ syslog: { fallbackAfter: 0.5 } }, range, 'syslog.fallbackAfter'],
      [{ user: true }, type, 'user'],
      [{ user: -1 }, range, 'user'],
      [{ user: 2 ** 32 - 1 }, range, 'user'],
      [{ group: {} }, type, 'group'],
      [{ group: 1.5 }, range, 'group'],
      [{ groups: 'adm' }, type, 'groups'],
      [{ groups: [0, null] }, type, 'groups[1]'],
      [{ initgroups: 'yes' }, type, 'initgroups'],
      [{ coreDumps: 0 }, type, 'coreDumps'],
      [{ env: 'none' }, type, 'env'],
      [{ env: ['PATH', 1] }, type, 'env[1]'],
      [{ sighup: 'reload' }, value, 'sighup', /'reopen'/],
      [{ sighup: 1 }, type, 'sighup'],
      [{ sigchld: 'exit' }, value, 'sigchld', /'ignore'/],
      [{ sigterm: 'ignore' }, value, 'sigterm', /'exit'/],
      [{ sigterm: null }, type, 'sigterm'],
      [{ onStop: 'exit' }, type, 'onStop'],
      [{ stopTimeout: 0 }, range, 'stopTimeout'],
      [{ stopTimeout: '1s' }, type, 'stopTimeout'],
      [{ detach: 'no' }, value, 'detach', /'auto'/],
      [{ ready: 'later' }, value, 'ready', /'manual'/],
      [{ readyTimeout: -1 }, range, 'readyTimeout'],
      [{ readyTimeout: 2 ** 31 }, range, 'readyTimeout'],
      [{ notificationFd: '3' }, type, 'notificationFd'],
      [{ notificationFd: -1 }, range, 'notificationFd'],
      [{ title: null }, type, 'title'],
      [{ title: 'a\0b' }, value, 'title'],
      [{ pidFile: '/x' }, value, 'pidFile', /'pidfile'/],
      [{ User: 'x' }, value, 'User', /'user'/],
    ];
  for (const [options, code, name, more] of cases) {
    const about = JSON.stringify(options);
    let error: NodeJS.ErrnoException | undefined;
    try {
      explain(options);
    } catch (thrown) {
      error = thrown as NodeJS.ErrnoException;
    }
    assert.equal(error?.code, code, `${about} ${error?.message}`);
    const quoted = [`'options.${name}'`, `"options.${name}"`];
    assert.ok(
      quoted.some((text) => error.message.includes(text)),
      `${about} ${error.message}`,
    );
    if (more) assert.match(error.message, more);
  }
});
