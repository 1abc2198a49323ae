// Which users and groups are meant, and who may become them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertIs,
  clock,
  drop,
  first,
  needs,
  talk,
  users,
} from './helpers/privileges-drop';
import { needsRoot } from './helpers/scenario';

describe('who may become whom', () => {
  const lookUp = async (
    list: object[],
    through: string[],
  ): Promise<unknown[]> => {
    let answers: unknown[] = [];
    await talk<unknown[]>(first, 'look up', [list], { through }, (told) => {
      answers = told;
    });
    return answers;
  };

  test('names and ids are looked up', needsRoot, async () => {
    const wrong = 'ERR_INVALID_ARG_VALUE: The property';
    const noUser = 'must be a user of this machine: no such user. Received';
    const noGroup = 'must be a group of this machine: no such group. Received';
    const cases: [object, unknown][] = [
      [{}, null],
      [{ initgroups: false }, null],
      [{ user: 'clock' }, clock],
      [{ user: 48_800 }, clock],
      [{ user: '48800' }, clock],
      [{ user: '48820' }, { uid: 48_821, gid: 48_822, groups: [48_822] }],
      [{ user: 'lonely' }, { uid: 48_810, gid: 48_811, groups: [48_811] }],
      [
        { user: 'lonely', group: 'tower' },
        { uid: 48_810, gid: 48_802, groups: [48_802] },
      ],
      [
        { user: 'clock', initgroups: false },
        { uid: 48_800, gid: 48_801, groups: [48_801] },
      ],
      [
        { user: 'clock', groups: ['tower', 5, '6'] },
        { uid: 48_800, gid: 48_801, groups: [48_802, 5, 6] },
      ],
      [
        { user: 'clock', groups: [] },
        { uid: 48_800, gid: 48_801, groups: [] },
      ],
      [
        { user: 4_294_967_294, group: 'crowd' },
        { uid: 4_294_967_294, gid: 48_803, groups: [48_803] },
      ],
      [{ group: 'crowd' }, { gid: 48_803 }],
      [{ groups: ['crowd'] }, { groups: [48_803] }],
      [{ user: 'nosuch' }, `${wrong} 'options.user' ${noUser} 'nosuch'`],
      [{ user: '' }, `${wrong} 'options.user' ${noUser} ''`],
      [{ group: 'clocks' }, `${wrong} 'options.group' ${noGroup} 'clocks'`],
      [
        { groups: ['clock', 'no'] },
        `${wrong} 'options.groups[1]' ${noGroup} 'no'`,
      ],
      [
        { user: 5 },
        `${wrong} 'options.user' is the id of no user, so that ` +
          "'options.group' must be given too. Received 5",
      ],
      [
        { group: 1, initgroups: true },
        `${wrong} 'options.initgroups' needs 'options.user'. Received true`,
      ],
      [
        { uset: 1 },
        `${wrong} 'options.uset' is unknown, did you mean 'user'? Received 1`,
      ],
      [
        { user: -1 },
        'ERR_OUT_OF_RANGE: The value of "options.user" is out of range. ' +
          'It must be >= 0 && <= 4294967294. Received -1',
      ],
      [
        { user: '4294967295' },
        'ERR_OUT_OF_RANGE: The value of "options.user" is out of range. ' +
          'It must be >= 0 && <= 4294967294. Received 4294967295',
      ],
      [
        { groups: 'adm' },
        'ERR_INVALID_ARG_TYPE: The "options.groups" property must be ' +
          "an instance of Array. Received type string ('adm')",
      ],
      [
        { user: true },
        'ERR_INVALID_ARG_TYPE: The "options.user" property must be ' +
          'of type string or number. Received type boolean (true)',
      ],
    ];
    assert.deepEqual(
      await lookUp(
        cases.map(([options]) => options),
        users.command(),
      ),
      cases.map(([, expected]) => expected),
    );
  });

  const asLonely = (): string[] => [
    ...users.command(),
    ...['setpriv', '--reuid=48810', '--regid=48811', '--groups=48802'],
  ];
  const refused = (option: string, wanted: string, lacks: string): string =>
    `ERR_DAEMON_NOT_PRIVILEGED: 'options.${option}' asks for ${wanted}, which ` +
    `this process may not take: ${lacks}`;

  test('who is not root can only be who it is', needs('setpriv'), async () => {
    const lacks = (capability: string): string =>
      `it lacks ${capability}. Start it as root, or leave it out`;
    const cases: [object, unknown][] = [
      [{ user: 'lonely' }, { uid: 48_810 }],
      [
        { user: 48_810, group: 48_811 },
        { uid: 48_810, gid: 48_811 },
      ],
      [
        { user: 'lonely', groups: ['tower'] },
        { uid: 48_810, groups: [48_802] },
      ],
      [
        { user: 'lonely', initgroups: true },
        refused('groups', 'groups 48811', lacks('CAP_SETGID')),
      ],
      [{ user: 'clock' }, refused('user', 'uid 48800', lacks('CAP_SETUID'))],
      [{ user: 'root' }, refused('user', 'uid 0', lacks('CAP_SETUID'))],
      [
        { user: 'lonely', group: 'tower' },
        refused('group', 'gid 48802', lacks('CAP_SETGID')),
      ],
      [{ groups: [] }, refused('groups', 'no groups', lacks('CAP_SETGID'))],
    ];
    assert.deepEqual(
      await lookUp(
        cases.map(([options]) => options),
        asLonely(),
      ),
      cases.map(([, expected]) => expected),
    );
  });

  test('who asks to be who it is stays so', needs('setpriv'), () =>
    drop(
      { user: 'lonely', group: 'lonely' },
      { through: asLonely() },
      (told) => {
        assert.equal(told.refused?.code, 'ERR_INVALID_ARG_VALUE');
      },
    ).then(() =>
      drop({ user: 'lonely' }, { through: asLonely() }, ({ pid, dropped }) => {
        assert.equal(dropped, null);
        assertIs(pid, { uid: 48_810, gid: 48_811, groups: [48_802] });
      }),
    ),
  );

  test(
    'the root of a user namespace is told what it has not',
    needsRoot,
    async () => {
      const through = ['unshare', '--user', '--map-root-user'];
      const unmapped = 'its user namespace has no such id';
      assert.deepEqual(
        await lookUp(
          [
            { user: 33, group: 0 },
            { group: 33 },
            { groups: [] },
            { user: 'root', group: 'root', groups: [0] },
          ],
          ['setpriv', '--groups=0', ...through],
        ),
        [
          refused('user', 'uid 33', unmapped),
          refused('group', 'gid 33', unmapped),
          refused(
            'groups',
            'no groups',
            'its user namespace forbids setgroups(2)',
          ),
          { uid: 0, gid: 0, groups: [0] },
        ],
      );
    },
  );
});
