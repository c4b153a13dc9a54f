// Who may do what, as a table, and nothing beside the table.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actRefusal, GIVEN_ROLES, givenRoleOf, lowerRole, may, reaches, ROLES, roleOf, rolesToGive, type Action, type Role } from './permissions.ts';

const TABLE: Readonly<Record<Action, Readonly<Record<Role, boolean>>>> = {
  see: { owner: true, admin: true, auditor: true, member: false },
  export: { owner: true, admin: true, auditor: true, member: false },
  invite: { owner: true, admin: true, auditor: false, member: false },
  'change-role': { owner: true, admin: true, auditor: false, member: false },
  remove: { owner: true, admin: true, auditor: false, member: false },
  'end-sessions': { owner: true, admin: true, auditor: false, member: false },
  suspend: { owner: true, admin: true, auditor: false, member: false },
  'require-password': { owner: true, admin: true, auditor: false, member: false },
  'issue-bypass-code': { owner: true, admin: true, auditor: false, member: false },
  'reset-methods': { owner: true, admin: true, auditor: false, member: false },
  'change-policy': { owner: true, admin: true, auditor: false, member: false },
  'manage-keys': { owner: true, admin: true, auditor: false, member: false },
  'manage-apps': { owner: true, admin: true, auditor: false, member: false },
  'manage-groups': { owner: true, admin: true, auditor: false, member: false },
  'set-webhook': { owner: true, admin: true, auditor: false, member: false },
  'manage-sso': { owner: true, admin: false, auditor: false, member: false },
  'loosen-resets': { owner: true, admin: false, auditor: false, member: false },
  'transfer-ownership': { owner: true, admin: false, auditor: false, member: false },
};
const ACTIONS = Object.keys(TABLE) as Action[];
const OTHERS = ACTIONS.filter((action) => !['see', 'export', 'invite', 'change-policy', 'manage-keys', 'manage-apps'].includes(action));

describe('permissions', () => {
  for (const action of ACTIONS)
    test(`who may: ${action}`, () => {
      for (const role of ROLES) assert.equal(may(role, action), TABLE[action][role], role);
    });

  test('AD-3 nobody acts on a higher role, whatever it is', () => {
    for (const action of OTHERS)
      for (const role of ROLES)
        for (const other of ROLES) {
          const refusal = actRefusal(action, { actor: { accountId: 'a', role }, target: { accountId: 'b', role: other } });
          const higher = ROLES.indexOf(other) < ROLES.indexOf(role);
          assert.equal(refusal, !TABLE[action][role] ? 'not-allowed' : higher ? 'higher-role' : undefined, `${role} to ${other}: ${action}`);
        }
  });

  test('nobody gives a role that is higher than their own', () => {
    for (const role of ROLES)
      for (const to of ROLES) {
        const refusal = actRefusal('change-role', { actor: { accountId: 'a', role }, target: { accountId: 'b', role: 'member' }, to });
        assert.equal(refusal === undefined, may(role, 'change-role') && reaches(role, to), `${role} gives ${to}`);
      }
  });

  test('of two roles the lower one counts, whichever comes first', () => {
    for (const one of ROLES)
      for (const other of ROLES) {
        const lower = lowerRole(one, other);
        assert.equal(lower, lowerRole(other, one));
        assert.ok(reaches(one, lower) && reaches(other, lower) && [one, other].includes(lower));
      }
  });

  test('nobody does anything to themselves', () => {
    for (const action of OTHERS)
      for (const role of ROLES) {
        const oneself = { accountId: 'a', role };
        assert.equal(actRefusal(action, { actor: oneself, target: oneself }), may(role, action) ? 'oneself' : 'not-allowed');
      }
  });

  test('the roles to give: all but owner for those who may invite, none for the others', () => {
    assert.deepEqual(rolesToGive('owner'), GIVEN_ROLES);
    assert.deepEqual(rolesToGive('admin'), GIVEN_ROLES);
    assert.deepEqual(rolesToGive('auditor'), []);
    assert.deepEqual(rolesToGive('member'), []);
    assert.equal(givenRoleOf('owner'), undefined);
    for (const none of ['', 'Owner', 'root', '__proto__']) assert.equal(roleOf(none), undefined);
  });
});
