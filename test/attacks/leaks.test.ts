// What an attacker finds who gets hold of the database, the log, the record of events, or the pages: after a whole life of an account, nothing that opens it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { listFactors } from '../../src/factors/factors.ts';
import { makeKeys } from '../../src/platform/secrets/keys.ts';
import { minutes } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import { readRows } from '../support/rows.ts';
import { accountOf, askForReset } from './intruder.ts';
import { recordAnswers, wholeLife, type Answer, type Life } from './whole-life.ts';

onOneDatabase((open) => {
  let portal: Portal;
  let life: Life;
  before(async () => {
    portal = await open({ checkHtml: false });
    life = await wholeLife(portal);
  });

  /** Every form in which a secret could stand somewhere: as it is, as bytes in hexadecimal or base64, and percent-encoded. */
  const formsOf = (secret: string): string[] => {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('hex'), bytes.toString('base64').replaceAll('=', ''), encodeURIComponent(secret)];
  };
  const assertNoneIn = (text: string, where: string, secrets = life.secrets) => {
    for (const [what, secret] of secrets) for (const form of formsOf(secret)) assert.ok(!text.includes(form), `${what} in ${where}`);
  };
  /** Six digits turn up by chance in numbers and hashes; where that can be, they are looked for as words. */
  const long = () => new Map([...life.secrets].filter(([, secret]) => secret.length > 6));
  const assertNoCodeIn = (text: string, where: string) => {
    for (const [what, code] of life.secrets)
      if (code.length === 6) assert.doesNotMatch(text, new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`), `${what} in ${where}`);
  };

  test('the life was a whole one', () => {
    assert.ok(life.secrets.size > 40, `${life.secrets.size} secrets`);
    assert.ok(life.answers.length > 300, `${life.answers.length} answers`);
    for (const status of [200, 303, 400, 401, 403, 404, 405, 410, 413, 415, 422])
      assert.ok(
        life.answers.some((answer) => answer.status === status),
        `${status}`,
      );
    assert.ok(life.answers.every((answer) => answer.status < 500));
  });

  test('CR-2, EC-8, RK-2, TO-7, SE-1, PR-1: no table holds a code, key, secret, token or password, also while all of that is on its way', async () => {
    const eve = await (await portal.newcomer().join()).enableByEmail();
    portal.mail.up = false;
    await eve.enterPassword(portal.browser());
    await eve.openSecurity();
    await eve.browser.post('/account/security/disable');
    await eve.browser.post('/account/security/enable', { method: 'totp' });
    await eve.browser.visit('/account/security/set-up');
    await eve.browser.press('Continue');
    const { secret } = AuthenticatorApp.from(eve.browser.page, portal.clock).scanned;
    await askForReset(portal.browser(), eve.email);
    const rows = await readRows(portal.world.database);
    for (const table of ['accounts', 'factors', 'sessions', 'attempts', 'password_resets', 'outbox', 'audit_events', 'limits'])
      assert.ok(rows[table]!.length > 0, table);
    portal.mail.up = true;
    portal.clock.advance(minutes(3));
    await portal.mail.deliver(portal.world);
    const waiting = portal.mail.mails.slice(-3).map(({ text }) => text);
    const code = waiting.map((text) => /^(\d{6})\n/.exec(text)?.[1]).find((one) => one !== undefined);
    const token = waiting.map((text) => /token=([\w-]{43})/.exec(text)?.[1]).find((one) => one !== undefined);
    assert.ok(code && token);
    const text = JSON.stringify(rows);
    assertNoneIn(text, 'the database', new Map([...long(), ['secret that is shown', secret], ['token on its way', token], ['password', eve.password]]));
    assertNoCodeIn(text, 'the database');
    assert.doesNotMatch(text, new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`));
  });

  test('CR-2: nor do the bytes of the database’s files, with what was deleted from them', () => {
    const { place } = portal.world;
    const files = readdirSync(path.dirname(place)).filter((name) => name.startsWith(path.basename(place)));
    assert.ok(files.length >= 1);
    for (const name of files) assertNoneIn(readFileSync(path.join(path.dirname(place), name), 'latin1'), name, long());
  });

  test('RK-2: a Recovery Key is a hash under a key that the database does not have', async () => {
    const rows = await portal.world.database.query.selectFrom('factors').selectAll().where('kind', '=', 'recovery-key').execute();
    assert.ok(rows.length > 0);
    const { id, state } = rows[0]!;
    const opened = JSON.parse(portal.world.keys.open(['factors', id, 'state'], state)) as { hash: string };
    assert.equal(Buffer.from(opened.hash, 'base64url').length, 32);
    assertNoneIn(JSON.stringify(opened), 'the opened row', long());
  });

  test('CR-1: what is sealed for one row or account opens in no other, and not with a bit changed or under another key', async () => {
    const eve = await (await portal.newcomer().join()).enableByApp();
    const mallory = await (await portal.newcomer().join()).enableByApp();
    const { query } = portal.world.database;
    const factorOf = async (email: string) => {
      const { id } = await accountOf(portal, email);
      return query.selectFrom('factors').selectAll().where('account_id', '=', id).where('kind', '=', 'totp').executeTakeFirstOrThrow();
    };
    const [own, foreign] = [await factorOf(eve.email), await factorOf(mallory.email)];
    const refuses = async (state: Uint8Array) => {
      await query.updateTable('factors').set({ state }).where('id', '=', own.id).execute();
      await assert.rejects(listFactors(portal.world, query, own.account_id));
      const browser = portal.browser();
      await eve.enterPassword(browser);
      assert.equal(browser.page.status, 500);
      assert.equal(browser.cookies.get('twinlock-session'), undefined);
    };
    await refuses(foreign.state);
    for (const at of [0, 5, 20, own.state.length - 1]) await refuses(own.state.map((byte, index) => (index === at ? byte ^ 1 : byte)));
    await refuses(own.state.subarray(0, own.state.length - 1));
    await refuses(makeKeys([{ id: 'test', secret: new Uint8Array(32).fill(8) }]).seal(['factors', own.id, 'state'], '{}'));
    await query.updateTable('factors').set({ state: own.state }).where('id', '=', own.id).execute();
    await eve.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('CR-1: no nonce comes twice', () => {
    const { keys } = portal.world;
    const nonces = new Set<string>();
    for (let count = 0; count < 10_000; count++) {
      const sealed = keys.seal(['factors', 'one', 'state'], 'x');
      nonces.add(Buffer.from(sealed.subarray(1 + sealed[0]!, 13 + sealed[0]!)).toString('hex'));
    }
    assert.equal(nonces.size, 10_000);
  });

  test('CR-5: what must not be guessed has 128 random bits at least', () => {
    for (const [what, secret] of life.secrets) if (/cookie|token/.test(what)) assert.equal(Buffer.from(secret, 'base64url').length, 32, what);
  });

  test('LO-2, WE-8: no line of the log holds any of it, nor a query, a field, or an address of mail', () => {
    const { lines } = portal.world.log;
    assert.ok(lines.length > 300);
    const text = JSON.stringify(lines);
    assertNoneIn(text, 'the log', long());
    assertNoCodeIn(text, 'the log');
    assert.doesNotMatch(text, /\?|token=|example\.org/);
  });

  test('LO-2: nor does the record of events', async () => {
    const rows = await portal.world.database.query.selectFrom('audit_events').selectAll().execute();
    assert.ok(rows.length > 60);
    const text = JSON.stringify(rows);
    assertNoneIn(text, 'the record', long());
    assertNoCodeIn(text, 'the record');
  });

  test('LO-1: every event says when, from where, by what, and by which request', async () => {
    const rows = await portal.world.database.query.selectFrom('audit_events').selectAll().execute();
    for (const row of rows) {
      assert.ok(row.at > 0);
      if (row.event === 'policy_changed') continue;
      assert.match(row.address ?? '', /^[\d.]+$/, row.event);
      assert.match(row.user_agent ?? '', /Firefox/, row.event);
      assert.match(row.request_id ?? '', /^[\w-]{12}$/, row.event);
    }
  });

  test('EC-8, PW, WE-8: no answer holds a password, an emailed code, or any cookie’s token', () => {
    for (const answer of life.answers) {
      // What somebody typed in stands in the field again; that is their own, and never a password.
      const typed = decodeURIComponent(answer.sent.replaceAll('+', ' '));
      const text = wholeOf(answer);
      for (const [what, secret] of life.secrets) {
        const its = ownersOf(what);
        if (its.some((place) => place.test(answer.url))) continue;
        if (secret.length === 6 ? new RegExp(`\\b${secret}\\b`).test(text) : text.includes(secret))
          assert.ok(typed.includes(secret) && !what.startsWith('password'), `${what} in ${answer.method} ${answer.url}`);
      }
    }
  });

  test('RK-8: a Recovery Key is shown on its page and in its file, while it is new, and never again; both are kept by no cache', () => {
    const keys = [...life.secrets].filter(([what]) => /^Recovery Key \d/.test(what)).map(([, secret]) => secret);
    const showing = life.answers.filter((answer) => keys.some((key) => answer.body.includes(key)));
    assert.ok(showing.length >= keys.length * 2);
    for (const answer of showing) {
      assert.match(answer.url, /recovery-key(\/new)?(\/download)?$/);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.ok(!answer.url.includes('?'));
      assert.ok(answer.method === 'POST' || !answer.url.endsWith('/download'), 'the file is posted for');
    }
    for (const key of keys) {
      const last = life.answers.findLastIndex((answer) => answer.body.includes(key));
      assert.ok(life.answers.slice(last + 1).every((answer) => !answer.body.includes(key)));
    }
  });

  test('TO-7: the secret of an app is shown while it is being set up, and never again', () => {
    const shown = [...life.secrets].filter(([what]) => what.startsWith('secret of an app'));
    assert.equal(shown.length, 3);
    for (const [, secret] of shown) for (const answer of life.answers) if (answer.body.includes(secret)) assert.match(answer.url, /set-up\/(code|method)$/);
  });

  test('EC-8: no subject of a mail holds its code', () => {
    for (const { subject, text } of portal.mail.mails) {
      const code = /^(\d{6})\n/.exec(text)?.[1];
      if (code !== undefined) assert.ok(!subject.includes(code));
    }
  });

  test('EC-10: no link in a mail leads anywhere but to the configured origin, whatever Host is claimed', async () => {
    const { installation } = portal.world;
    const browser = portal.browser();
    await browser.visit('/forgot-password');
    const ada = await portal.newcomer().join();
    await browser.post('/forgot-password', { email: ada.email }, { host: 'evil.test', 'x-forwarded-host': 'evil.test', forwarded: 'host=evil.test' });
    assert.match(ada.newestMail().text, /forgot-password\/link/);
    for (const { text, html } of portal.mail.mails) {
      for (const [url] of `${text}\n${html}`.matchAll(/https?:\/\/[^\s"<]+/g)) assert.ok(url.startsWith(`${installation.origin}/`), url);
      assert.ok(!text.includes('evil.test'));
    }
  });

  test('LO-3: nothing that a client sends breaks a line of the log or of the record, or colours a terminal', async () => {
    recordAnswers(portal);
    const ada = await portal.newcomer().join();
    const browser = portal.browser({ userAgent: 'evil\u001b[31m\tred\u0085\u2028' });
    await browser.visit('/sign-in');
    await browser.post('/sign-in', { email: `${ada.email}\r\n{"event":"authn_login_success"}`, password: 'x' });
    await ada.browser.post('/account', { name: 'Ada\r\nSubject: evil', language: 'en' });
    assert.equal(ada.browser.page.status, 422);
    await ada.browser.visit(`/account/${encodeURIComponent('\r\n\u001b[31m{"level":"info"}')}`);
    const events = await portal.world.database.query.selectFrom('audit_events').selectAll().execute();
    const logged = [...portal.world.log.lines.map((line) => JSON.stringify(line)), ...events.flatMap((row) => [row.user_agent!, row.details])];
    // oxlint-disable-next-line no-control-regex
    for (const line of logged) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u, line);
  });
});

const wholeOf = ({ headers, body }: Answer): string => {
  // A browser is given its own cookies, and nothing else may hold them.
  const { 'set-cookie': _own, ...others } = headers;
  return `${JSON.stringify(others)}\n${body}`;
};

/** Where a secret belongs: on the page that shows it to its owner. */
function ownersOf(what: string): RegExp[] {
  if (what.startsWith('Recovery Key')) return [/recovery-key(\/new)?(\/download)?$/];
  if (what.startsWith('secret of an app')) return [/set-up\/(code|method)$/];
  // The page that the link leads to hands the token on in its form.
  if (what.startsWith('token of a link')) return [/^\/forgot-password\/link\?token=/];
  return [];
}
