// A write of a program, with each operation of the database failing in turn while it is answered: it is done whole or not at all, and done once when it is sent again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { Faults, withFaults } from '../support/faults.ts';
import { foundOrganisation } from '../support/organisation.ts';
import { Portal } from '../support/portal.ts';
import { makeKey } from '../support/program-client.ts';
import { makeTestWorld } from '../support/world.ts';

let portal: Portal;
let faults: Faults;
let key: string;
before(async () => {
  faults = new Faults();
  faults.armed = false;
  const { world } = withFaults(await makeTestWorld({ engine: 'sqlite', path: ':memory:' }), faults);
  portal = await Portal.over(world, { checkHtml: false });
  key = await makeKey(await foundOrganisation(portal));
});
after(() => portal.close());

/** Invites somebody, with a key of the request's own; `plan`: what fails meanwhile. */
async function invite(email: string, plan: () => void) {
  plan();
  faults.armed = true;
  const { statusCode: status } = await portal.app.inject({
    method: 'POST',
    url: '/api/v1/invitations',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': `invite-${email}` },
    payload: { email, role: 'member' },
  });
  faults.armed = false;
  await portal.mail.deliver(portal.world);
  return { status, operations: faults.operations };
}

async function traces(email: string) {
  const { query } = portal.world.database;
  const invitations = await query.selectFrom('invitations').select('id').where('email', '=', email).execute();
  const events = await query
    .selectFrom('audit_events')
    .select('id')
    .where('event', '=', 'organisation_invited')
    .where('details', 'like', `%"${email}"%`)
    .execute();
  return { invitations: invitations.length, events: events.length, mails: portal.mail.to(email).length };
}

test('whichever statement, beginning or commit fails: all of it or nothing, the key stands for it, and sent again it is done', async () => {
  const { status, operations } = await invite('first@example.net', () => faults.heal());
  assert.equal(status, 201);
  assert.ok(operations > 10, String(operations));
  let [nothing, all] = [0, 0];
  for (let operation = 1; operation <= operations; operation++) {
    portal.clock.advance(minutes(1));
    const email = `guest${operation}@example.net`;
    const where = `operation ${operation} of ${operations}`;
    assert.equal((await invite(email, () => faults.failAt(operation))).status, 500, where);
    const { invitations, events, mails } = await traces(email);
    assert.deepEqual([events, mails], [invitations, invitations], `${where}: in one piece`);
    if (invitations === 0) nothing += 1;
    else all += 1;
    // Nobody knows how far it came: its key stays taken for a minute.
    portal.clock.advance(minutes(1) + 1);
    assert.equal((await invite(email, () => faults.heal())).status, 201, where);
    const later = await traces(email);
    assert.deepEqual(later, { invitations: 1, events: invitations + 1, mails: invitations + 1 }, `${where}, then again`);
    assert.equal((await invite(email, () => faults.heal())).status, 201);
    assert.deepEqual(await traces(email), later, 'and from then on it is answered as it was');
  }
  assert.ok(nothing > 5 && all >= 1, `${nothing} ${all}`);
});
