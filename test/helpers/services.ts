import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Booted, bootSystemd, type SystemdOptions } from './systemd';

/** Words for the scripts; $unit is the name of the case. */
const words = `
show() { property $unit.service "$1"; }
state() { echo $(show ActiveState) $(show SubState); }
state_is() { [ "$(state)" = "$1" ]; }
status_is() { [ "$(show StatusText)" = "$1" ]; }
main_is() { [ $(show MainPID) = "$1" ]; }
written() { journalctl --sync; journalctl --unit=$unit --output=cat --no-pager _TRANSPORT=$1; }
`;

interface Case extends Pick<SystemdOptions, 'units'> {
  name: string;
  script: string;
}

/**
 * Cases that share one boot of systemd: each has units and a script of its own,
 * and all scripts run side by side. Made inside `describe`.
 */
export class Services {
  readonly #cases: Case[] = [];
  #booted!: Booted;

  /** @param common `script` is run before those of the cases, which it has words for */
  constructor(common: Pick<SystemdOptions, 'prepare' | 'script'>) {
    before(async () => {
      const units = this.#cases.map((one) => Object.entries(one.units));
      this.#booted = await bootSystemd({
        ...common,
        units: Object.fromEntries(units.flat()),
        script: [common.script, words, ...this.#scripts(), 'wait'].join('\n'),
      });
    });
  }

  #scripts(): string[] {
    return this.#cases.map(
      ({ name, script }) => `(
        end() {
          echo $1 >/mnt/${name}.status
          [ $1 = 0 ] || journalctl --unit=$unit --no-pager >&2
        }
        trap 'end $?' EXIT
        unit=${name}
        ${script}
      ) >/mnt/${name}.out 2>/mnt/${name}.err &`,
    );
  }

  /** Declares a test of what a script prints. Names of units and files are its own. */
  prove(
    title: string,
    name: string,
    units: SystemdOptions['units'],
    script: string,
    expected: readonly string[],
  ): void {
    this.#cases.push({ name, units, script });
    test(title, () => {
      const { files } = this.#booted;
      const [out, errors, status] = ['out', 'err', 'status'].map((kind) =>
        files[`${name}.${kind}`]?.trimEnd(),
      );
      assert.deepEqual(
        { status, errors, lines: out?.split('\n') },
        { status: '0', errors: '', lines: expected },
      );
    });
  }
}
