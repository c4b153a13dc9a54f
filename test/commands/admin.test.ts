// `twinlock admin`, beside a portal that runs: what an operator does when nobody else can.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CookieBrowser, Workplace } from '../support/program.ts';

suite('twinlock admin create-owner', () => {
  test('somebody with a verified account is the owner at once, and told by mail; the same once more is refused with exit code 1', async () => {
    using workplace = new Workplace();
    await using portal = await workplace.serve();
    const browser = await CookieBrowser.join(portal, { email: 'ada@example.org' });
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
    await using portal = await workplace.serve({ TWINLOCK_SIGN_UP: 'invited' });
    const made = await workplace.run(['admin', 'create-owner', 'ada@example.org', '--organisation', 'Herons Ltd', '--json'], {
      TWINLOCK_ORIGIN: portal.address,
    });
    assert.deepEqual([made.status, made.errors], [0, '']);
    const { link, email, expiresAt } = JSON.parse(made.output) as { link: string; email: string; expiresAt: string };
    assert.equal(email, 'ada@example.org');
    assert.ok(Date.parse(expiresAt) > Date.now());
    assert.ok(link.startsWith(`${portal.address}/set-up?token=`));
    const browser = await CookieBrowser.join(portal, { email: 'ada@example.org', then: link.slice(portal.address.length) });
    assert.match(browser.page, /value="Herons Ltd"/);
    const [, token] = /token=([\w-]+)/.exec(link)!;
    await browser.post('/set-up', { token: token!, name: 'Herons Ltd' });
    assert.match(browser.page, /One person belongs to Herons Ltd\./);
    assert.match((await workplace.run(['audit', 'verify'])).output, /as it was written/);
  });

  test('what is no address or no name, or is missing, ends with exit code 2, and nothing is made', async () => {
    using workplace = new Workplace();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['admin'], /Say 'twinlock admin create-owner EMAIL'/],
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
