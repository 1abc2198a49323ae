import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { cliPath } from './helpers/cli';
import { documented } from './helpers/documented';
import { installServices } from './helpers/library';
import { nodes } from './helpers/nodes';
import { Services } from './helpers/services';
import { needsSystemd } from './helpers/systemd';

const [node] = nodes;

const forking = (name: string): string =>
  `Type=forking\nPIDFile=/run/${name}/pid`;

/** A unit of its own for one scenario of `fixtures/systemd-daemonize.cjs`. */
const service = (name: string, scenario: string, lines: string): string => `
[Service]
ExecStart=/usr/bin/node /mnt/systemd-daemonize.cjs '${scenario}'
RuntimeDirectory=${name}
RuntimeDirectoryPreserve=yes
TimeoutSec=25
LimitCORE=0
${lines}
`;

const words = `
told() { wait_for test -s /run/$unit/told; cat /run/$unit/told; }
signal() { kill -"$1" $(head -n 1 /run/$unit/pid); }
# Whether systemd's main process is the daemon that the PID file names.
main_is_daemon() { main_is $(head -n 1 /run/$unit/pid); }
ask() { cat </dev/tcp/127.0.0.1/$1; }
cli() { /usr/bin/node ${cliPath} "$@"; }
code() { "$@" >/run/$unit.said 2>/dev/null && echo 0 || echo $?; }
# What systemd, and three programs that read the PID file, say of the daemon.
asked() {
  echo $(state), $(code start-stop-daemon --status --pidfile $1) $(code pgrep -F $1) $(code cli status --pidfile $1)
}
# Whether they mean the same process.
agree() {
  main_is $(head -n 1 $1) && main_is $(pgrep -F $1) &&
  cli status --json --pidfile $1 | grep -q '"pid": '$(show MainPID)',' &&
  start-stop-daemon --status --pidfile $1 --exec $(readlink /proc/$(show MainPID)/exe)
}
`;

describe('daemonize() on a real systemd', needsSystemd, () => {
  const services = new Services({
    prepare(folder) {
      installServices(folder, 'systemd-daemonize.cjs');
      const program = documented('/srv/greeter/greeter.mjs');
      writeFileSync(join(folder, 'greeter.mjs'), program);
    },
    script: `
      [ ${node.path} -ef /usr/bin/node ] || cp ${node.path} /usr/bin/node
      systemd-sysusers --inline 'u greeter -'
      mkdir /srv/greeter
      cp -r /mnt/greeter.mjs /mnt/node_modules /srv/greeter
      ${words}`,
  });

  /** With one service of one scenario. */
  function prove(
    title: string,
    [name, scenario, lines]: readonly [string, string, string],
    script: string,
    expected: readonly string[],
  ): void {
    const units = { [`${name}.service`]: service(name, scenario, lines) };
    services.prove(title, name, units, script, expected);
  }

  const left = '{"launcher":"systemd","detached":true,"leadsSession":false}';
  const stayed = '{"launcher":"systemd","detached":false,"leadsSession":true}';
  const ended = '{"status":0,"pidfile":false}';

  prove(
    'Type=forking with PIDFile=: it detaches, is the main process, and ends in order',
    ['forking', 'plain', forking('forking')],
    `
    systemctl start $unit
    state; told
    main_is_daemon
    sed 's/.*) //' /proc/$(show MainPID)/stat | cut -d ' ' -f 2
    tr '\\0' ' ' </proc/$(show MainPID)/cmdline; echo
    systemctl stop $unit
    state; show Result; show ExecMainStatus
    cat /run/$unit/end
    [ ! -e /run/$unit/pid ]
    written stdout`,
    [
      'active running',
      left,
      '1',
      '/usr/bin/node /mnt/systemd-daemonize.cjs plain ',
      'inactive dead',
      'success',
      '0',
      ended,
      'before',
    ],
  );

  const sleep = `[Service]
ExecStart=/usr/bin/node ${cliPath} run --pidfile /run/agrees-run/pid -- sleep 1000
RuntimeDirectory=agrees-run
RuntimeDirectoryPreserve=yes
${forking('agrees-run')}
`;
  const own = service('agrees-own', 'plain', forking('agrees-own'));
  for (const [title, name, unit] of [
    ['daemonize()', 'agrees-own', own],
    ['posix-daemonize run', 'agrees-run', sleep],
  ] as const)
    services.prove(
      `systemd, start-stop-daemon, pgrep and posix-daemonize agree on a daemon of ${title}`,
      name,
      { [`${name}.service`]: unit },
      `
      file=/run/$unit/pid
      systemctl start $unit
      asked $file; agree $file
      first=$(show MainPID)
      systemctl restart $unit
      asked $file; agree $file
      ! main_is $first || echo 'the same'
      systemctl stop $unit
      asked $file; show Result
      systemctl start $unit
      cp $file $file.killed # systemd removes the file itself
      kill -KILL $(show MainPID)
      wait_for state_is 'failed failed'
      asked $file.killed; show Result
      systemctl start $unit
      asked $file; agree $file
      code cli stop --pidfile $file
      wait_for state_is 'inactive dead'
      asked $file; show Result`,
      [
        'active running, 0 0 0',
        'active running, 0 0 0',
        'inactive dead, 3 1 3',
        'success',
        'failed failed, 1 1 1',
        'signal',
        'active running, 0 0 0',
        '0',
        'inactive dead, 3 1 3',
        'success',
      ],
    );

  prove(
    "Type=forking with ready: 'manual': it is active once it is ready",
    ['forking-later', 'later', forking('forking-later')],
    `
    systemctl start --no-block $unit
    wait_for test -s /run/$unit/listens
    state; told
    signal USR2
    systemctl start $unit # waits for the start under way
    state; main_is_daemon
    systemctl stop $unit
    show Result`,
    ['activating start', left, 'active running', 'success'],
  );

  prove(
    'Type=forking: a daemon that fails before it is ready fails the unit, with its status and its words',
    ['forking-fails', 'fails', forking('forking-fails')],
    `
    systemctl start $unit 2>/dev/null || echo refused $?
    state; show Result
    show ExecStart | grep -o 'status=[0-9]*'
    cat /run/$unit/end
    [ ! -e /run/$unit/pid ]
    written stdout`,
    [
      'refused 1',
      'failed failed',
      'exit-code',
      'status=7',
      '{"status":7,"pidfile":false}',
      'about to fail',
      'posix-daemonize: no configuration',
    ],
  );

  prove(
    'Type=notify: it stays, and is active once it is ready',
    ['notify', 'later', 'Type=notify'],
    `
    systemctl start --no-block $unit
    wait_for test -s /run/$unit/listens
    state; told; main_is_daemon
    signal USR2
    systemctl start $unit
    state; show StatusText
    systemctl stop $unit
    show Result; cat /run/$unit/end`,
    ['activating start', stayed, 'active running', 'serving', 'success', ended],
  );

  prove(
    'Type=notify: one that fails before it is ready fails the unit, with its status and its words',
    ['notify-fails', 'fails', 'Type=notify'],
    `
    systemctl start $unit 2>/dev/null || echo refused $?
    state; show Result; show ExecMainStatus
    show StatusText
    written stdout`,
    [
      'refused 1',
      'failed failed',
      'exit-code',
      '7',
      'posix-daemonize: no configuration',
      'about to fail',
      'posix-daemonize: no configuration',
    ],
  );

  prove(
    'Type=notify with NotifyAccess=all and detach: true: the daemon becomes the main process, at each start',
    ['notify-detached', 'detached', 'Type=notify\nNotifyAccess=all'],
    `
    systemctl start $unit
    state; told; main_is_daemon
    main=$(show MainPID)
    systemctl restart $unit
    state; main_is_daemon; ! main_is $main || echo 'the same'
    systemctl stop $unit
    show Result; cat /run/$unit/end`,
    ['active running', left, 'active running', 'success', ended],
  );

  prove(
    'Type=simple: it stays, the journal has its output, and SIGTERM ends it with 0',
    ['simple', 'plain', 'Type=simple'],
    `
    systemctl start $unit
    wait_for test -s /run/$unit/told
    told; main_is_daemon
    main=$(show MainPID)
    kill -TERM $main
    wait_for state_is 'inactive dead'
    show Result; show ExecMainStatus; cat /run/$unit/end
    written stdout`,
    [stayed, 'success', '0', ended, 'before', 'after'],
  );

  prove(
    "what a detached daemon says is in the journal of its unit, by 'syslog' and by 'inherit'",
    ['logs', 'speaks', forking('logs')],
    `
    systemctl start $unit
    logged() { written syslog | grep 'to syslog'; }
    wait_for logged
    written stdout
    systemctl stop $unit
    show Result`,
    ['to syslog', 'to stderr', 'success'],
  );

  let port = 8080;
  for (const scenario of ['serves', 'asks first'])
    for (const [kind, lines, how] of [
      ['stays', () => 'Type=simple', stayed],
      ['detaches', forking, left],
    ] as const) {
      const name = `${scenario.replace(' ', '-')}-${kind}`;
      port++;
      services.prove(
        `a daemon that ${kind} serves the socket of its unit: ${scenario}`,
        name,
        {
          [`${name}.service`]: service(name, scenario, lines(name)),
          [`${name}.socket`]: `[Socket]\nListenStream=127.0.0.1:${port}\n`,
        },
        `
        systemctl start $unit.socket
        show ActiveState
        ask ${port} >/run/answer-$unit
        told
        wait_for state_is 'active running' # it answers before systemd knows
        main_is_daemon
        [ "$(cat /run/answer-$unit)" = "$unit.socket $(show MainPID)" ]
        systemctl stop $unit.socket $unit.service
        show Result`,
        ['inactive', how, 'success'],
      );
    }

  for (const [kind, scenario, lines, how] of [
    ['stays', 'watched', () => 'Type=notify', stayed],
    ['detaches', 'watched, detached', forking, left],
  ] as const)
    prove(
      `a daemon that ${kind} and feeds the watchdog lives`,
      [`fed-${kind}`, scenario, `${lines(`fed-${kind}`)}\nWatchdogSec=3`],
      `
      systemctl start $unit
      told
      fed() { show WatchdogTimestampMonotonic; }
      first=$(fed)
      lives_on() { [ $(fed) -gt $((first + 4000000)) ]; }
      wait_for lives_on
      state; show NRestarts
      systemctl stop $unit
      show Result`,
      [how, 'active running', '0', 'success'],
    );

  for (const [kind, scenario, lines] of [
    ['stays', 'plain', () => 'Type=notify'],
    ['detaches', 'detached', forking],
  ] as const)
    prove(
      `a daemon that ${kind} and does not feed the watchdog is killed`,
      [`unfed-${kind}`, scenario, `${lines(`unfed-${kind}`)}\nWatchdogSec=1`],
      `
      systemctl start $unit
      wait_for state_is 'failed failed'
      show Result`,
      ['watchdog'],
    );

  prove(
    "systemctl reload with sighup: 'reopen' makes a new log file",
    [
      'reopens',
      'reopens',
      `${forking('reopens')}\nExecReload=/bin/kill -HUP $MAINPID`,
    ],
    `
    log=/run/$unit/log
    systemctl start $unit
    mv $log $log.1
    systemctl reload $unit
    wait_for test -e $log
    signal USR2
    wait_for grep -qx second $log
    cat $log.1 $log
    state
    systemctl stop $unit
    show Result`,
    ['first', 'second', 'active running', 'success'],
  );

  prove(
    'systemctl reload with a function: the unit is reloading until it says ready',
    ['rereads', 'rereads', 'Type=notify\nExecReload=/bin/kill -HUP $MAINPID'],
    `
    systemctl start $unit
    systemctl reload --no-block $unit
    wait_for status_is reading
    state
    signal USR2
    wait_for status_is read
    state
    systemctl stop $unit
    show Result`,
    ['reloading reload', 'active running', 'success'],
  );

  prove(
    'User= in the unit: the daemon is the main process, and its PID file goes',
    ['user', 'plain', `${forking('user')}\nUser=daemon`],
    `
    systemctl start $unit
    state; told; main_is_daemon
    stat --format %U /proc/$(show MainPID) /run/$unit/pid
    systemctl stop $unit
    show Result; cat /run/$unit/end`,
    ['active running', left, 'daemon', 'daemon', 'success', ended],
  );

  const greeter = documented('/etc/systemd/system/greeter.service');
  const hello = 'hello';
  const umask = 'Umask:\t0027';
  services.prove(
    'the program and the unit of docs/systemd.md work, as Type=notify as well',
    'greeter',
    {
      'greeter.service': greeter,
      'greeter-notify.service': greeter.replace(
        /Type=forking\nPIDFile=.*/,
        'Type=notify',
      ),
    },
    `
    for unit in greeter greeter-notify; do
      systemctl start $unit
      ask 7007
      show Type; state; show StatusText
      main_is $(head -n 1 /run/greeter/greeter.pid)
      stat --format %U /proc/$(show MainPID)
      grep Umask: /proc/$(show MainPID)/status
      systemctl stop $unit
      show Result
    done`,
    [
      ...[hello, 'forking', 'active running', '', 'greeter', umask, 'success'],
      ...[hello, 'notify', 'active running', 'greets on port 7007'],
      ...['greeter', umask, 'success'],
    ],
  );

  const becomes =
    'Type=forking\nPIDFile=/run/becomes.pid\nRuntimeDirectoryMode=0777';
  prove(
    "user: 'daemon' in a service of root: the daemon is the main process, and ends with 0",
    ['becomes', 'becomes another user', becomes],
    `
    systemctl start $unit
    state; told
    main_is $(head -n 1 /run/$unit.pid)
    stat --format %U /proc/$(show MainPID) /run/$unit.pid
    systemctl stop $unit
    show Result; show ExecMainStatus; cat /run/$unit/end`,
    [
      'active running',
      left,
      'daemon',
      'root',
      'success',
      '0',
      '{"status":0,"pidfile":true}',
    ],
  );
});
