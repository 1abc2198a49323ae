/** `logs`: what daemons have written, and write. */
import { existsSync } from 'node:fs';
import type { Managed } from '../daemons/managed';
import { checkOutput } from '../output';
import { exitCodes } from '../exit-codes';
import { Failure } from '../failure';
import { complain, lostOutput, paint, warn, write } from '../terminal';
import { LinePrefixer } from './line-prefixer';
import { LogFile } from './log-file';
import { LogFollower } from './log-follower';

interface Source {
  /** Before each line, where there are several. */
  label: string;
  path: string;
}

/**
 * Shows the last lines of log files, each line with the name of its daemon where
 * there are several. Tells where else to look for what is in no file.
 * @param follow go on until the process ends
 * A file that cannot be shown keeps the others from nothing.
 * @returns the exit code: that of the first one which could not be shown
 */
export function showLogs(
  daemons: readonly Managed[],
  lines: number,
  follow: boolean,
): number {
  const sources = daemons.flatMap(sourcesOf);
  let code: number = sources.length > 0 ? exitCodes.ok : exitCodes.generic;
  const width = Math.max(...sources.map(({ label }) => label.length));
  for (const { label, path } of sources) {
    const prefix = paint(1, 'dim', `${label.padEnd(width)} | `);
    const prefixer = new LinePrefixer(prefix, show);
    const emit = (chunk: Buffer): void =>
      sources.length > 1 ? prefixer.write(chunk) : show(chunk);
    try {
      if (follow) new LogFollower(path, lines, emit);
      else showLast(path, lines, emit);
    } catch (error) {
      const status = complain(error);
      code ||= status;
    }
    if (!follow) prefixer.end();
  }
  return code;
}

function sourcesOf({ name, outputs }: Managed): Source[] {
  const [stdout, stderr] = outputs;
  if (outputs.length === 0) warn(`${name}: it is not known where it logs`);
  if (outputs.includes('syslog')) warn(`${name}: ${systemLog(name)}`);
  const files = [...new Set(outputs)].filter((path) => path.startsWith('/'));
  if (stdout === 'null' && stderr === 'null') warn(`${name}: it keeps no log`);
  return files.map((path) => ({
    label: files.length > 1 && path === stderr ? `${name} stderr` : name,
    path,
  }));
}

/** Where the entries of a daemon are. */
function systemLog(name: string): string {
  // As sd_booted(3) asks.
  if (existsSync('/run/systemd/system')) return `see \`journalctl -t ${name}\``;
  const file = ['/var/log/syslog', '/var/log/messages'].find(existsSync);
  return file === undefined
    ? 'it logs to the system log'
    : `see \`grep '${name}' ${file}\``;
}

function showLast(
  path: string,
  lines: number,
  emit: (chunk: Buffer) => void,
): void {
  if (!existsSync(path))
    throw new Failure(`${path} is not there yet`, exitCodes.generic);
  const file = new LogFile(path);
  file.seekLines(lines);
  file.read(emit);
  file.close();
}

/** Also where there will always be more: nobody could read it. */
function show(chunk: Buffer): void {
  write(1, chunk);
  if (!lostOutput()) return;
  checkOutput();
  process.exit();
}
