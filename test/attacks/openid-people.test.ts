// An OpenID provider that says whatever it likes of people: whose account that opens, and whose not. Each case through the front door.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { settings } from '../../src/sso/oidc/settings.ts';
import { ADA, LiedTo } from '../support/lied-to.ts';
import type { Claims, Lies } from '../support/hostile-provider.ts';
import { fillNewOpenId, openConsole, testConnection, wayOut } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, isSignedIn } from './intruder.ts';

let set: LiedTo;
before(async () => {
  set = await LiedTo.open();
});
after(async () => set[Symbol.asyncDispose]());

const claims = (more: Claims): Lies => ({ claims: (honest) => ({ ...honest, ...more }) });
const without = (...names: string[]): Lies => ({ claims: (honest) => Object.fromEntries(Object.entries(honest).filter(([name]) => !names.includes(name))) });

/** The person is known there, and opens no account here, nor makes one. */
async function assertNotBelieved({ browser }: { browser: Visitor }, accounts: number, about: string): Promise<void> {
  assert.equal(browser.page.heading, 'One more step, this once', `${about}: ${browser.page.text}`);
  assert.equal(browser.cookies.get('twinlock-session'), undefined, about);
  assert.equal(await set.countAccounts(), accounts, about);
}

/** What stays to be believed is a true in the claim that was named. */
const NOT_VERIFIED = [false, 'false', 'False', 'no', '', 'TRUE ', 'yes', 0, '0', 2, null, [true], { value: true }];

test('SI-1 an address that is not verified, by whatever words, links no account and makes none', async () => {
  const { portal } = set;
  const victim = await portal.newcomer({ email: 'victim@example.com' }).join();
  const accounts = await set.countAccounts();
  for (const email of [victim.email, 'nobody@example.com']) {
    set.provider.account({ email, subject: `attacker as ${email}` });
    for (const verified of NOT_VERIFIED)
      await assertNotBelieved(await set.signIn(claims({ email_verified: verified }), { email }), accounts, `${email} ${JSON.stringify(verified)}`);
    await assertNotBelieved(await set.signIn(without('email_verified'), { email }), accounts, `${email}, nothing`);
    await assertNotBelieved(
      await set.signIn({ claims: ({ email_verified: yes, ...rest }) => ({ ...rest, EMAIL_VERIFIED: yes }) }, { email }),
      accounts,
      'in capitals',
    );
  }
  assert.equal((await portal.world.database.query.selectFrom('sso_links').select('subject').execute()).length, 0);
});

test('SI-1 where another claim says it (xms_edov), nothing is taken from the usual one; and an address of another claim is not verified by the usual one', async () => {
  const { owner, path, portal } = set;
  const tenant = await portal.newcomer({ email: 'tenant@example.com' }).join();
  const accounts = await set.countAccounts();
  set.provider.account({ email: tenant.email });
  await fillIn(owner.browser, 'Claim that says that the address is verified', 'xms_edov');
  for (const xms of NOT_VERIFIED)
    await assertNotBelieved(await set.signIn(claims({ xms_edov: xms, email_verified: true }), { email: tenant.email }), accounts, JSON.stringify(xms));
  await assertNotBelieved(await set.signIn({}, { email: tenant.email }), accounts, 'none');
  await fillIn(owner.browser, 'Claim that says that the address is verified', 'email_verified');
  // Whoever may name themselves as they like (nOAuth): upn and preferred_username are what their tenant calls them.
  for (const claim of ['upn', 'preferred_username']) {
    await fillIn(owner.browser, 'Claim with the email address', claim);
    await assertNotBelieved(await set.signIn(claims({ email: 'eve@evil.example', [claim]: tenant.email }), { email: tenant.email }), accounts, claim);
  }
  await fillIn(owner.browser, 'Claim with the email address', 'email');

  async function fillIn(browser: Visitor, label: string, value: string): Promise<void> {
    await openConsole(owner, path);
    browser.fill(label, value);
    await browser.press('Save');
    assert.ok(browser.page.has('The connection is changed'), browser.page.text);
  }
});

test('SI-1 addresses that are two, none, of a lookalike domain, or of a domain below the organisation’s', async () => {
  const accounts = await set.countAccounts();
  const strange = [
    ['eve@evil.example', ADA],
    `eve@evil.example, ${ADA}`,
    `${ADA}\r\nBcc: eve@evil.example`,
    `"${ADA}" <eve@evil.example>`,
    `${ADA}@evil.example`,
    'ada@example.com.evil.example',
    'ada@sub.example.com',
    'ada@notexample.com',
    'ada@example.com\u0000.evil.example',
    'ada@еxample.com',
    'ada@example。com.evil.example',
    { address: ADA },
    7,
    'x'.repeat(400) + '@example.com',
  ];
  for (const email of strange) {
    const lies = { ...claims({ email, sub: 'eve' }), userInfo: (honest: Claims) => ({ ...honest, email, sub: 'eve' }) };
    await assertNotBelieved(await set.signIn(lies), accounts, JSON.stringify(email));
  }
});

test('SI-1 the provider’s own name for somebody stays theirs, whatever address it gives them later', async () => {
  const { portal, provider } = set;
  const eve = 'eve@example.com';
  provider.account({ email: eve, subject: 'eve-1' });
  const first = await set.signIn({}, { email: eve });
  assert.equal(first.browser.page.path, '/account');
  const boss = await portal.newcomer({ email: 'boss@example.com' }).join();
  const accounts = await set.countAccounts();
  // The address of somebody else, verified: she is still herself.
  const second = await set.signIn(claims({ email: boss.email, name: 'The boss' }), { email: eve });
  await second.browser.visit('/account');
  assert.ok(second.browser.page.has(eve) && !second.browser.page.has(boss.email), second.browser.page.text);
  // And whoever comes by her address under another name is not her.
  await assertNotBelieved(await set.signIn(claims({ sub: 'eve-2' }), { email: eve }), accounts, 'an address that was given to somebody else');
  for (const sub of ['EVE-1', ' eve-1', 'eve-1 ', 'eve-1\u0000', 'eve‑1']) {
    const { browser } = await set.signIn(claims({ sub, email: 'other@evil.example' }), { email: eve });
    assert.equal(await isSignedIn(browser), false, JSON.stringify(sub));
  }
  const links = await portal.world.database.query.selectFrom('sso_links').select(['subject', 'account_id']).where('subject', 'like', 'eve%').execute();
  assert.deepEqual(
    links.map(({ subject, account_id }) => [subject, account_id]),
    [['eve-1', (await accountOf(portal, eve)).id]],
  );
});

test('SI-1 a claim that changes hands is no name for somebody: the owner is told so', async () => {
  const { owner } = set;
  for (const name of ['email', 'upn', 'preferred_username', 'unique_name', 'name', 'nickname']) {
    await openConsole(owner, set.path);
    owner.browser.fill('Claim that names the person for ever', name);
    await owner.browser.press('Save');
    assert.ok(owner.browser.page.has('That can be given to somebody else one day'), name);
    assert.equal(settings.safeParse({ issuer: 'https://x.example', clientId: 'x', clientSecret: 'x', subjectClaim: name }).success, false);
  }
});

test('SI-1 a claim of the owner’s choice that is no text, or that the token lacks, names nobody', async () => {
  const { owner, provider, path } = set;
  await openConsole(owner, path);
  owner.browser.fill('Claim that names the person for ever', 'oid');
  await owner.browser.press('Save');
  for (const oid of [undefined, null, '', 7, ['x'], {}, true, 'x'.repeat(256)])
    await set.refuses(claims({ oid }), /names nobody by the claim/, JSON.stringify([oid]));
  // Not from userinfo either, which nobody signed.
  await set.refuses({ claims: ({ email: _email, ...rest }) => rest, userInfo: (honest) => ({ ...honest, oid: 'x' }) }, /names nobody by the claim/, 'userinfo');
  for (const name of ['constructor', '__proto__', 'toString']) {
    await openConsole(owner, path);
    owner.browser.fill('Claim that names the person for ever', name);
    await owner.browser.press('Save');
    await set.refuses({}, /names nobody by the claim/, name);
  }
  await openConsole(owner, path);
  owner.browser.fill('Claim that names the person for ever', 'sub');
  await owner.browser.press('Save');
  provider.account({ email: ADA });
  assert.equal((await set.signIn()).browser.page.path, '/account');
});

test('AL-8 words for a second factor count where the owner named them, letter by letter, and from the signed token alone', async () => {
  const { portal, provider } = set;
  const { query } = portal.world.database;
  const successes = () => query.selectFrom('audit_events').select(['id', 'details']).where('event', '=', 'authn_login_success').execute();
  const session = async (lies: Lies): Promise<string> => {
    const earlier = (await successes()).map(({ id }) => id);
    assert.equal((await set.signIn(lies)).browser.page.path, '/account');
    return (await successes()).find(({ id }) => !earlier.includes(id))!.details;
  };
  // Nobody ticked the box of this connection.
  for (const amr of [['mfa'], 'mfa', ['pwd', 'otp']]) assert.doesNotMatch(await session(claims({ amr, acr: 'mfa' })), /sso-second-factor/);
  await openConsole(set.owner, set.path);
  set.owner.browser.check('Where it says that it asked for a second factor, that counts here');
  await set.owner.browser.press('Save');
  assert.match(await session(claims({ amr: ['pwd', 'mfa'] })), /sso-second-factor/, 'the words that stand there from the beginning');
  for (const amr of [['MFA'], ['mfa '], ['pwd'], [], null, { mfa: true }, [['mfa']], ['not mfa'], 'pwd mfa'])
    assert.doesNotMatch(await session(claims({ amr })), /sso-second-factor/, JSON.stringify(amr));
  assert.doesNotMatch(
    await session({ claims: ({ email: _email, ...rest }) => rest, userInfo: (honest) => ({ ...honest, amr: ['mfa'], acr: 'mfa' }) }),
    /sso-second-factor/,
  );
  provider.lies = {};
});

test('WE-4 what a provider says of somebody is text on every page that shows it', async () => {
  const { owner, path, provider } = set;
  const script = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'';
  provider.lies = { ...claims({ name: script, department: { [script]: script }, groups: [script], __proto__: script }) };
  const tested = await testConnection(owner, path, provider, ADA);
  provider.lies = {};
  assert.ok(tested.has('It works.') && tested.has('<script>alert(1)</script>'), tested.text);
  assert.doesNotMatch(tested.body, /<script>alert|<img src=x/);
  await fillNewOpenId(owner, { issuer: provider.issuer }, { name: script.slice(0, 60) });
  assert.doesNotMatch(owner.browser.page.body, /<script>alert|<img src=x/);
});

test('WE-7 no return address leads elsewhere, by which step it may come', async () => {
  const { portal, provider } = set;
  for (const then of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/%2f/evil.example/..//',
    '\t//evil.example',
    `${'javascript'}:alert(1)`,
    '/account\r\nlocation: https://evil.example',
  ]) {
    const browser = portal.browser();
    await browser.visit(`/sign-in?then=${encodeURIComponent(then)}`);
    await browser.post('/sign-in/sso', { email: ADA, then });
    const back = await provider.goThrough(wayOut(browser.page), { email: ADA });
    const answer = await portal.send({ method: 'GET', url: `${back.pathname}${back.search}&then=${encodeURIComponent(then)}` });
    assert.match(String(answer.headers.location), /^\/sign-in\/sso\/arrived\?with=[\w-]{43}$/);
    await browser.visit(`${String(answer.headers.location)}&then=${encodeURIComponent(then)}`);
    assert.ok(/^\/(?:account|%2f\/)/.test(browser.page.path), `${then}: ${browser.page.path}`);
  }
});
