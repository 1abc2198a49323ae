import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** ms for a boot with all that its script does, under load */
const DEADLINE = 60_000;

const program = join(__dirname, 'systemd-pid1');
const project = resolve(__dirname, '../..');

/** For tests that call {@link bootSystemd}. */
export const needsSystemd = { skip: whyNoSystemd() };

/** For tests that run `systemd-socket-activate`. */
export const needsSocketActivate = {
  skip:
    spawnSync('systemd-socket-activate', ['--version']).status !== 0 &&
    'install systemd',
};

export interface SystemdOptions {
  /** Unit files by name, such as `'clock.service'`. */
  units: Record<string, string>;
  /**
   * What is done once systemd is up, by `bash -eu`; its end is the end of the
   * boot. `property UNIT NAME` prints a property of a unit, `wait_for COMMAND`
   * repeats a command until it succeeds, but not for ever: a failure within
   * the limit leaves the journal.
   */
  script: string;
  /** Puts more files into the folder that is at /mnt then. */
  prepare?: (folder: string) => void;
  /** Folders that are seen inside, read-only, where they are. */
  visible?: readonly string[];
  /** ms from the start to the end of the script @default 60000 */
  limit?: number;
}

/** What a boot leaves. */
export interface Booted {
  /** What the script printed. */
  stdout: string;
  /** Text of the files that lie in /mnt, by name. */
  files: Record<string, string>;
  /** The messages of systemd itself. */
  console: string;
}

const prelude = (limit: number): string => `
property() { systemctl show --property "$2" --value "$1"; }
wait_for() {
  until "$@"; do
    [ $SECONDS -lt ${Math.floor(limit / 2000)} ] || { echo "waited for $*" >&2; exit 1; }
    sleep 0.02
  done
}
`;

const scriptUnit = `
[Unit]
Description=What the test does
[Service]
Type=oneshot
ExecStart=/bin/bash -eu /mnt/script
StandardOutput=append:/mnt/stdout
StandardError=append:/mnt/stderr
ExecStopPost=/bin/bash -c 'echo $SERVICE_RESULT $EXIT_STATUS >/mnt/status; journalctl --no-pager --output=short-monotonic >/mnt/journal'
ExecStopPost=/bin/systemctl poweroff --force --force
`;

/**
 * Boots a real systemd as PID 1 beside this machine's own, over a throw-away
 * copy of its file system: see `systemd-pid1`. The project is where it is.
 * @throws {Error} the script failed or was not done in time; the message has
 *   all that is known
 */
export async function bootSystemd(options: SystemdOptions): Promise<Booted> {
  const folder = mkdtempSync(join(tmpdir(), 'systemd-'));
  try {
    chmodSync(folder, 0o755); // for services that are not root
    write(folder, options);
    options.prepare?.(folder);
    return await run(folder, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(
  folder: string,
  { units, script, limit = DEADLINE }: SystemdOptions,
): void {
  mkdirSync(join(folder, 'units'));
  const all = {
    ...units,
    'script.service': scriptUnit,
    'script.target': '[Unit]\nRequires=script.service\n',
  };
  for (const [name, unit] of Object.entries(all))
    writeFileSync(join(folder, 'units', name), unit);
  writeFileSync(join(folder, 'script'), prelude(limit) + script);
}

async function run(
  folder: string,
  { limit = DEADLINE, visible = [] }: SystemdOptions,
): Promise<Booted> {
  // Its end, or that of this process, ends the boot.
  const boot = spawn(
    program,
    [folder, 'script.target', String(limit / 1000), project, ...visible],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const [console, errors] = await Promise.all([
    text(boot.stdout),
    text(boot.stderr),
    once(boot, 'close'),
  ]);
  const files = readFiles(folder);
  const { status, stdout = '', ...others } = files;
  if (status?.trim() !== 'success 0') {
    const end = status?.trim() ?? `no end within ${limit} ms`;
    const { stderr = '', journal = '' } = others;
    const known = { stdout, stderr, journal, console, errors };
    throw new Error(
      Object.entries(known).reduce(
        (message, [name, value]) => `${message}\n--- ${name}:\n${value}`,
        `the script on systemd failed: ${end}`,
      ),
    );
  }
  return { stdout, files: others, console };
}

function readFiles(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

function whyNoSystemd(): string | false {
  if (!existsSync('/lib/systemd/systemd')) return 'install systemd';
  const may = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']);
  return may.status !== 0 && 'run as root with CAP_SYS_ADMIN';
}
