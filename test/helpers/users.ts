import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Lines of /etc/passwd that a test needs, and of /etc/group. */
const passwd = [
  'root:x:0:0::/root:/bin/sh',
  'clock:x:48800:48801::/:/bin/sh',
  'lonely:x:48810:48811::/:/bin/sh',
  '48820:x:48821:48822::/:/bin/sh',
];
/** More than any first buffer holds. */
const crowd = Array.from({ length: 5000 }, (_, i) => `member-${i}`);
const group = [
  'root:x:0:',
  'clock:x:48801:',
  'tower:x:48802:clock',
  `crowd:x:48803:${crowd.join(',')},clock`,
  ...Array.from({ length: 50 }, (_, i) => `g${i}:x:${48900 + i}:clock`),
];

/** The groups of `clock`. */
export const clockGroups = [
  48_801,
  48_802,
  48_803,
  ...Array.from({ length: 50 }, (_, i) => 48_900 + i),
];

/** Users and groups of a test's own, for the programs it starts. */
export class PrivateUsers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'users-'));

  constructor() {
    writeFileSync(join(this.#folder, 'passwd'), `${passwd.join('\n')}\n`);
    writeFileSync(join(this.#folder, 'group'), `${group.join('\n')}\n`);
  }

  /** For `through` of a launch; needs root. More is done before the start. */
  command(more = 'true'): string[] {
    const mounts = ['passwd', 'group'].map(
      (file) => `mount --bind ${join(this.#folder, file)} /etc/${file}`,
    );
    const script = [...mounts, more, 'exec "$@"'].join(' && ');
    return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
