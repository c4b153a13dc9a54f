// `twinlock admin`, beside a portal that runs: what an operator does when nobody else can.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { siteAt } from '../support/http-site.ts';
import { startMailServer } from '../support/mail-server.ts';
import { CookieBrowser, Workplace } from '../support/program.ts';
import { Visitor } from '../support/visitor.ts';

suite('twinlock admin create-owner', () => {
  test('somebody with a verified account is the owner at once, and told by mail; the same once more is refused with exit code 1', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    const browser = await CookieBrowser.join(portal, mail, { email: 'ada@example.org' });
    const made = await workplace.run(['admin', 'create-owner', 'Ada@example.org', '--organisation', 'Herons Ltd']);
    assert.deepEqual([made.status, made.errors], [0, '']);
    assert.equal(made.output, 'Ada@example.org is the owner of Herons Ltd, and is told by mail.\n');
    await browser.get('/admin/people');
    assert.match(browser.page, /One person belongs to Herons Ltd\./);

    const again = await workplace.run(['admin', 'create-owner', 'ada@example.org', '--organisation', 'Herons Ltd']);
    assert.deepEqual([again.status, again.output], [1, '']);
    assert.match(again.errors, /is the owner of an organisation of that name already/);
    const second = await workplace.run(['admin', 'create-owner', 'ada@example.org', '--organisation=Wagtails', '--json']);
    const { organisation, owner } = JSON.parse(second.output) as { organisation: { id: string; name: string }; owner: string };
    assert.deepEqual([organisation.name, owner], ['Wagtails', 'ada@example.org']);
    await browser.get(`/admin/people?organisation=${organisation.id}`);
    assert.match(browser.page, /One person belongs to Wagtails\./);
  });

  test('somebody without an account gets a link, by which they join also where accounts are by invitation', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url, TWINLOCK_SIGN_UP: 'invited' });
    const made = await workplace.run(['admin', 'create-owner', 'ada@example.org', '--organisation', 'Herons Ltd', '--json'], {
      TWINLOCK_ORIGIN: portal.address,
    });
    assert.deepEqual([made.status, made.errors], [0, '']);
    const { link, email, expiresAt } = JSON.parse(made.output) as { link: string; email: string; expiresAt: string };
    assert.equal(email, 'ada@example.org');
    assert.ok(Date.parse(expiresAt) > Date.now());
    assert.ok(link.startsWith(`${portal.address}/set-up?token=`));
    const browser = await CookieBrowser.join(portal, mail, { email: 'ada@example.org', then: link.slice(portal.address.length) });
    assert.match(browser.page, /value="Herons Ltd"/);
    const [, token] = /token=([\w-]+)/.exec(link)!;
    await browser.post('/set-up', { token: token!, name: 'Herons Ltd' });
    assert.match(browser.page, /One person belongs to Herons Ltd\./);
    assert.match((await workplace.run(['audit', 'verify'])).output, /as it was written/);
  });

  test('what is no address or no name, or is missing, ends with exit code 2, and nothing is made', async () => {
    using workplace = new Workplace();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['admin'], /Say 'twinlock admin create-owner EMAIL' or .*'twinlock admin issue-bypass EMAIL'/],
      [['admin', 'create-owner'], /needs EMAIL and --organisation/],
      [['admin', 'create-owner', 'ada@example.org'], /needs --organisation/],
      [['admin', 'create-owner', 'ada@example.org', '--organisation'], /--organisation needs a NAME/],
      [['admin', 'create-owner', 'ada@example.org', '--organization', 'Herons'], /Did you mean '--organisation'\?/],
      [['admin', 'create-owner', 'ada at example.org', '--organisation', 'Herons'], /not an email address/],
      [['admin', 'create-owner', 'ada@example.org', '--organisation', 'x'.repeat(101)], /1 to 100 characters/],
      [['admin', 'create-owner', 'ada@example.org', 'eve@example.org', '--organisation', 'Herons'], /takes no 'eve@example\.org'/],
    ];
    for (const [words, pattern] of cases) {
      const { status, errors, output } = await workplace.run(words);
      assert.deepEqual([status, output], [2, ''], words.join(' '));
      assert.match(errors, pattern);
    }
  });
});

suite('twinlock admin transfer-ownership', () => {
  test('who belongs to no organisation, or owns it already, gets none; the only one need not be named', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    const transfer = (...words: string[]) => workplace.run(['admin', 'transfer-ownership', ...words]);
    assert.match((await transfer('ada@example.org')).errors, /There is no organisation yet\./);
    await CookieBrowser.join(portal, mail, { email: 'ada@example.org' });
    await workplace.run(['admin', 'create-owner', 'ada@example.org', '--organisation', 'Herons Ltd']);
    const again = await transfer('ada@example.org');
    assert.deepEqual([again.status, again.output, again.errors], [1, '', 'ada@example.org is the owner of Herons Ltd already. Nothing was done.\n']);
    const stranger = await transfer('eve@example.org', '--organisation', 'Herons Ltd');
    assert.deepEqual([stranger.status, stranger.errors], [1, 'Nobody with eve@example.org belongs to Herons Ltd. Nothing was done.\n']);
    const missing = await transfer();
    assert.deepEqual([missing.status, missing.output], [2, '']);
    assert.match(missing.errors, /needs EMAIL/);
  });
});

suite('twinlock admin issue-bypass', () => {
  test('AD-9: a code for an owner whom nobody else may help, printed once, for people and for programs', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    const site = siteAt(Number(new URL(portal.address).port));
    const browser = new Visitor(site, { origin: portal.address });
    const enterCode = async (): Promise<void> => {
      browser.fill('Verification code', (await mail.next('ada@example.org')).text.slice(0, 6));
      await browser.press('Continue');
    };
    await browser.visit('/sign-up');
    for (const [label, value] of Object.entries({ Name: 'Ada', Email: 'ada@example.org', Password: 'seven tall herons wade' })) browser.fill(label, value);
    await browser.press('Create account');
    await enterCode();
    const none = await workplace.run(['admin', 'issue-bypass', 'ada@example.org', '--reason', 'Phone lost', '--check', 'in-person']);
    assert.deepEqual([none.status, none.output], [1, '']);
    assert.match(none.errors, /signs in with the password alone/);

    await browser.visit('/account/security');
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await enterCode();
    await browser.press('Download');
    await browser.press('Finish');
    const issue = ['admin', 'issue-bypass', 'ada@example.org', '--reason', 'Phone lost', '--check', 'other', '--note', 'Knows them for years'];
    const issued = await workplace.run(issue);
    assert.deepEqual([issued.status, issued.errors], [0, '']);
    assert.match(issued.output, /^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\nThe bypass code of ada@example\.org, until /);
    const again = JSON.parse((await workplace.run([...issue, '--json'])).output) as { code: string };
    assert.notEqual(again.code, issued.output.slice(0, again.code.length));
    for (let subject = ''; subject !== 'A bypass code for Twinlock was issued for you';) ({ subject } = await mail.next('ada@example.org'));
    await browser.visit('/account');
    await browser.press('Profile');
    await browser.press('Sign out');
    browser.fill('Email', 'ada@example.org');
    browser.fill('Password', 'seven tall herons wade');
    await browser.press('Sign in');
    await browser.press('Try another way');
    await browser.press(browser.page.buttonStartingWith('Bypass code'));
    browser.fill('Bypass code', again.code);
    await browser.press('Continue');
    assert.equal((await browser.visit('/account')).heading, 'Manage Account');
    site.close();
  });

  test('AD-2: without grounds there is no code, and exit code 2 or 1', async () => {
    using workplace = new Workplace();
    const ada = ['admin', 'issue-bypass', 'ada@example.org'];
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [ada, 2, /needs --reason and --check/],
      [[...ada, '--reason', 'Lost', '--check', 'trust'], 2, /Say how you checked who is asking/],
      [[...ada, '--reason', 'Lost', '--check', 'other'], 2, /Say how you checked who is asking/],
      [[...ada, '--reason', 'x'.repeat(301), '--check', 'in-person'], 2, /at most 300 characters/],
      [[...ada, '--reason', 'Lost', '--check', 'in-person'], 1, /Nobody has a verified account with ada@example\.org/],
    ];
    for (const [words, code, pattern] of cases) {
      const { status, errors, output } = await workplace.run(words);
      assert.deepEqual([status, output], [code, ''], words.join(' '));
      assert.match(errors, pattern);
    }
  });
});
