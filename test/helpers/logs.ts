/** Daemons of `fixtures/logs.cjs`, which write to their logs and reopen them. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Probe } from './launch';
import { nodes } from './nodes';
import { Program } from './programs';

export interface Reopened {
  reopened: boolean;
  name?: string;
  message?: string;
  code?: string;
  path?: string;
  paths?: string[];
}

export interface Started {
  pid: number;
  fds: Record<string, string>;
}

export const [node] = nodes;
export const one = new Program(node, 'program.cjs', 'logs');
export const nobody = { uid: 65_534, gid: 65_534 };

export const read = (...path: string[]): string =>
  readFileSync(join(...path), 'utf8');

export const owners = (path: string): unknown[] => {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
};

/** Has the daemon reopen its logs. */
export async function hangUp(pid: number, probe: Probe): Promise<Reopened> {
  process.kill(pid, 'SIGHUP');
  return probe.next();
}

/** Has the daemon write a line to each stream. */
export async function write(pid: number, probe: Probe): Promise<void> {
  process.kill(pid, 'SIGUSR2');
  await probe.next();
}
