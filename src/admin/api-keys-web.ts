// /admin/api-keys: the keys of an organisation. What they open is in api.ts.
import { may } from '../organisations/organisations.ts';
import { page, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { KEY_DAYS_MOST, listApiKeys, makeApiKey, revokeApiKey, SCOPES, vouchForApiKey, type KeyRefusal } from '../sessions/sessions.ts';
import { proofIsFresh } from './admin.ts';
import * as pages from './api-keys-pages.ts';
import { actorOf, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import { REASONS } from './people-pages.ts';

const API_KEYS = '/admin/api-keys';
const NEW = `${API_KEYS}/new`;
const NOTHING_TYPED: pages.KeyTyped = { name: '', role: 'auditor', scopes: [], days: '90' };

export function mountApiKeys(web: Web<Console>, world: World): void {
  web.get(API_KEYS, async (visit, context) =>
    page(pages.apiKeys(frameOf(world, visit, context), await listApiKeys(world.database.query, context.organisation))),
  );
  web.get(NEW, async (visit, context) => {
    if (!may(context.role, 'manage-keys')) throw noSuchPage();
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, NEW);
    return page(pages.newApiKey(frameOf(world, visit, context), NOTHING_TYPED));
  });
  web.post(
    NEW,
    change(world, { action: 'manage-keys', back: () => NEW }, async (visit, context) => {
      const typed = typedIn(visit);
      const made = await makeApiKey(world, actorOf(visit, context), { ...typed, days: /^\d{1,3}$/.test(typed.days) ? Number(typed.days) : 0 });
      const frame = frameOf(world, visit, context);
      if (made.ok) return page(pages.madeApiKey(frame, made));
      return page(pages.newApiKey(frame, typed, mistakeOf(made.reason)), made.reason === 'not-allowed' ? 403 : made.reason === 'too-many' ? 409 : 422);
    }),
  );
  web.post(
    `${API_KEYS}/:id/stand-by`,
    change(world, { action: 'manage-keys', back: () => API_KEYS }, async (visit, context) => {
      const vouched = await vouchForApiKey(world, actorOf(visit, context), visit.parameters['id']!);
      if (!vouched.ok) throw noSuchPage();
      return done(visit, context, 'key-vouched', API_KEYS);
    }),
  );
  web.post(
    `${API_KEYS}/:id/revoke`,
    change(world, { action: 'manage-keys', back: () => API_KEYS }, async (visit, context) => {
      const revoked = await revokeApiKey(world, actorOf(visit, context), visit.parameters['id']!);
      if (!revoked.ok) throw noSuchPage();
      return done(visit, context, 'key-revoked', API_KEYS);
    }),
  );
}

const typedIn = (visit: Visit): pages.KeyTyped => ({
  name: visit.field('name'),
  role: visit.field('role'),
  scopes: SCOPES.filter((scope) => visit.field(pages.scopeField(scope)) === 'yes'),
  days: visit.field('days').trim(),
});

function mistakeOf(reason: KeyRefusal): pages.KeyMistakes {
  switch (reason) {
    case 'name':
      return { name: 'Enter a name of at most 100 characters.' };
    case 'days':
      return { days: `Enter a number from 1 to ${KEY_DAYS_MOST}.` };
    case 'role':
      return { other: 'A key acts as auditor or as admin. Choose one below.' };
    case 'scopes':
      return { other: 'Choose at least one thing that the key may do.' };
    case 'scope-beyond-role':
      return { other: 'An auditor changes nothing. Let the key act as admin, or take what changes something away.' };
    case 'too-many':
      return { other: 'There are many keys already. Revoke one that nobody needs.' };
    case 'not-allowed':
    case 'needs-a-person':
    case 'beyond-key':
      return { other: REASONS['not-allowed'] };
  }
}
