// Somebody whom nobody in the organisation may help: the operator of the server does, on the command line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issueBypassCodeByOperator } from '../../src/lost-phone/lost-phone.ts';
import { hours } from '../../src/platform/durations.ts';
import { signInByBypassCode } from '../support/lost-phone.ts';
import { handOver, listOrganisations } from '../../src/organisations/organisations.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

const GROUNDS = { reason: 'Phone fell into the lake', check: 'in-person', note: '' } as const;

/** As the command does, with the mail that comes of it. */
async function issueFor({ world, mail }: Portal, email: string) {
  const issued = await issueBypassCodeByOperator(world, { email, grounds: GROUNDS });
  await mail.deliver(world);
  return issued;
}

onOneDatabase((open) => {
  test('an owner who is gone: the operator names a member, who is the owner from then on, and the one before an admin; both are told, and it is on record', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const ben = await joinAs(portal, owner, 'Member');
    const { world, mail } = portal;
    const [organisation] = await listOrganisations(world.database.query);
    assert.deepEqual(await handOver(world, { organisation: organisation!, email: ben.email.toUpperCase() }), { ok: true, before: owner.email });
    await mail.deliver(world);
    assert.match(ben.newestMail().text, /Whoever runs Example/);
    assert.equal(ben.newestMail().subject, 'You are now the owner of Herons Ltd');
    assert.match(owner.newestMail().text, /Whoever runs Example changed your role in Herons Ltd\. You are now: admin\./);

    await openPerson(ben, owner.email);
    assert.ok(ben.browser.page.hasButton('Transfer ownership'));
    await openPerson(owner, ben.email);
    assert.match(owner.browser.page.text, /About Owner .* is higher than yours/);
    await ben.browser.visit('/admin/audit');
    assert.match(ben.browser.page.text, /Became the owner .* by the operator/);

    for (const [email, reason] of [
      [ben.email, 'owns-it-already'],
      ['nobody@example.org', 'not-a-member'],
      ['no address', 'not-a-member'],
      [(await portal.newcomer().join()).email, 'not-a-member'],
    ] as const)
      assert.deepEqual(await handOver(world, { organisation: organisation!, email }), { ok: false, reason });
    await openPerson(ben, owner.email);
    await confirmIfAsked(ben.browser, ben.password);
    await ben.browser.press('Suspend');
    assert.deepEqual(await handOver(world, { organisation: organisation!, email: owner.email }), { ok: false, reason: 'suspended' });
    const owners = await world.database.query.selectFrom('memberships').select('account_id').where('role', '=', 'owner').execute();
    assert.equal(owners.length, 1);
  });

  test('AD-2, AD-9 an owner who lost the phone gets in by it once, is told who issued it, and finds it in the audit log with the grounds', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    await owner.enableByApp();
    await owner.signOut();
    const issued = await issueFor(portal, owner.email.toUpperCase());
    assert.ok(issued.ok);
    const mail = owner.newestMail();
    assert.equal(mail.subject, 'A bypass code for Example was issued for you');
    assert.match(mail.text, /The operator of Example, who looks after Example, issued a bypass code/);
    assert.ok(!mail.text.includes(issued.code) && !mail.text.includes('lake'));

    const browser = portal.browser();
    await signInByBypassCode(owner, browser, issued.code);
    assert.equal((await browser.visit('/account')).heading, 'Manage Account');
    const other = portal.browser();
    await signInByBypassCode(owner, other, issued.code).catch(() => undefined);
    assert.equal((await other.visit('/account')).path, '/sign-in', 'once');

    const rows = await portal.world.database.query
      .selectFrom('audit_events')
      .select(['details', 'user_agent'])
      .where('event', '=', 'authn_bypass_code_issued')
      .execute();
    assert.deepEqual(
      rows.map(({ details, user_agent: by }) => [JSON.parse(details) as unknown, by]),
      [[{ reason: 'Phone fell into the lake', check: 'Met in person' }, 'command line']],
    );
    await owner.signIn({ by: 'app' });
    await owner.browser.visit('/admin/audit?group=help');
    assert.match(owner.browser.page.text, /Bypass code issued/, 'in the log of their organisation');
  });

  test('AD-2 nothing for whoever has no account or no second factor; and no more codes than an administrator could issue', async () => {
    const portal = await open();
    const ada = await portal.newcomer().join();
    const mails = ada.mails().length;
    assert.deepEqual(await issueFor(portal, 'nobody@example.org'), { ok: false, reason: 'not-found' });
    assert.deepEqual(await issueFor(portal, 'no address'), { ok: false, reason: 'not-found' });
    const unverified = await portal.newcomer().signUp();
    assert.deepEqual(await issueFor(portal, unverified.email), { ok: false, reason: 'not-found' });
    assert.deepEqual(await issueFor(portal, ada.email), { ok: false, reason: 'two-factor-off' });
    assert.equal(ada.mails().length, mails);
    await ada.enableByApp();
    for (let count = 0; count < 5; count++) assert.ok((await issueFor(portal, ada.email)).ok);
    const over = await issueFor(portal, ada.email);
    assert.ok(!over.ok && over.reason === 'too-many' && over.retryAt <= portal.clock.now() + hours(1));
  });
});
