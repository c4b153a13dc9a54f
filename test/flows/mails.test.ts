// Every mail that an account gets in its life, as a real SMTP server receives it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'node-html-parser';
import { minutes } from '../../src/platform/durations.ts';
import { smtpTransport } from '../../src/platform/mail/smtp.ts';
import { startMailServer, type Mail, type MailServer } from '../support/mail-server.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

const NAME = 'Ada <b>Byron</b> & "Co"';
const ADDRESS = 'ada.of.all.mails@example.org';
const MOVED = 'ada.moved.house@example.org';
/** From the days of the test's clock; the browser is the one that Visitor says it is. */
const ASKED = /Asked from Firefox on Linux, address 198\.51\.100\.\d+, on 2 February 2027 at \d\d:\d\d UTC\./;

/** The subjects of all mails, in the order of the life below. `code`: with a code, which is not in the subject. */
const SUBJECTS: readonly (readonly [subject: string, code?: 'code'])[] = [
  ['Your verification code for Example', 'code'],
  ['Two-factor authentication is on for Example'],
  ['A way to sign in to Example was added'],
  ['A way to sign in to Example was replaced'],
  ['A way to sign in to Example was removed'],
  ['You have a new Recovery Key for Example'],
  ['Somebody could not finish signing in to Example'],
  ['Your Recovery Key was used for Example'],
  ['Your password for Example was changed'],
  ['Your address for Example was changed'],
  ['Two-factor authentication is off for Example'],
  ['Choose a new password for Example'],
  ['Your password for Example was reset'],
  ['No account at Example for this address'],
];

onOneDatabase((open) => {
  let portal: Portal;
  let server: MailServer;
  let ada: Person;
  /** All of them, as they came over the wire. */
  let mails: readonly Mail[];
  /** What must be in no mail. */
  const secrets: string[] = [];

  before(async () => {
    portal = await open();
    ada = portal.newcomer({ name: NAME, email: ADDRESS });
    await liveALife();
    server = await startMailServer();
    const transport = smtpTransport(server.url, { name: 'Example', address: 'portal@example.com' });
    for (const mail of portal.mail.mails) await transport.send(mail);
    transport.close();
    mails = server.inbox;
  });
  after(() => server.close());

  async function liveALife(): Promise<void> {
    secrets.push(ada.password);
    await ada.join();
    await ada.enableByEmail();
    secrets.push(ada.recoveryKey!);
    await ada.addApp();
    secrets.push(ada.phone.scanned.secret);
    portal.clock.advance(minutes(1));
    await replaceAndRemoveTheApp();
    await ada.addApp();
    portal.clock.advance(minutes(1));
    await ada.openSecurity();
    await ada.browser.press('Create new Recovery Key');
    await ada.browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    secrets.push(await ada.keepRecoveryKey());
    await ada.signOut();
    await ada.enterPassword();
    for (let tries = 0; tries < 3; tries += 1) await ada.enterCode(ada.phone.shows() === '101010' ? '101011' : '101010');
    await ada.showSecondFactor('recovery-key');
    secrets.push(ada.recoveryKey!);
    await changePasswordAndAddress();
    portal.clock.advance(minutes(11));
    await ada.signOut();
    await ada.signIn({ by: 'app' });
    await ada.disable();
    await ada.signOut();
    await ada.openResetLink();
    ada.browser.fill('New password', 'eight tame ravens wait');
    await ada.browser.press('Save new password');
    secrets.push('eight tame ravens wait');
    await ada.browser.visit('/forgot-password');
    ada.browser.fill('Email', 'nobody.of.that.name@example.org');
    await ada.browser.press('Send the link');
  }

  async function replaceAndRemoveTheApp(): Promise<void> {
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app');
    await browser.press('Set up on the new phone');
    await ada.setUpApp();
    await browser.press('Manage Authenticator app');
    await browser.press('Remove');
  }

  async function changePasswordAndAddress(): Promise<void> {
    const { browser } = ada;
    await browser.visit('/account/security/password');
    browser.fill('Current password', ada.password);
    ada.password = 'six amber lanterns swing';
    secrets.push(ada.password);
    browser.fill('New password', ada.password);
    await browser.press('Change password');
    await browser.visit('/account/email');
    browser.fill('Email', MOVED);
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode(MOVED));
    ada.email = MOVED;
  }

  const codeOf = ({ text }: Mail): string | undefined => /^(\d{6})\n/.exec(text)?.[1];
  const ofSubject = (subject: string): readonly Mail[] => mails.filter((mail) => mail.subject === subject);

  test('each event has its mail, and no mail is of another kind', () => {
    for (const [subject] of SUBJECTS) assert.ok(ofSubject(subject).length > 0, `'${subject}' among ${mails.map((mail) => mail.subject).join('; ')}`);
    const known = new Set(SUBJECTS.map(([subject]) => subject));
    assert.deepEqual(
      mails.map((mail) => mail.subject).filter((subject) => !known.has(subject)),
      [],
    );
    assert.deepEqual(
      new Set(ofSubject('Your address for Example was changed').map((mail) => mail.to[0])),
      new Set([ADDRESS, MOVED]),
      'FC-3: the old address and the new one',
    );
  });

  test('EC-8 a code is the first thing in the text and in the page, and never in the subject', () => {
    for (const [subject, code] of SUBJECTS) {
      for (const mail of ofSubject(subject)) {
        assert.equal(codeOf(mail) !== undefined, code === 'code', subject);
        assert.doesNotMatch(mail.subject, /\d/);
        if (code === undefined) continue;
        assert.ok(parse(mail.html).querySelector('body')!.structuredText.trim().startsWith(codeOf(mail)!));
        assert.match(mail.text, /It works once, for ten minutes\. Nobody from Example will ever ask you for it\./);
      }
    }
  });

  test('each says for what it is, from which browser, which address and when it was asked, and what to do if it was not them', () => {
    for (const mail of mails) {
      const [greeting] = mail.text.split('\n').filter((line) => line.startsWith('Hello'));
      // Who has not shown that the mailbox is theirs can have nothing of their own written into it.
      const unproved = mail.subject === 'No account at Example for this address' || /to verify your email address|to use this address/.test(mail.text);
      assert.equal(greeting, unproved ? 'Hello,' : `Hello ${NAME},`, mail.subject);
      assert.match(mail.text, ASKED, mail.subject);
      assert.match(mail.text, /If this was not you, /, mail.subject);
      assert.match(mail.text, /\bExample\b/, mail.subject);
      assert.ok(
        mail.text.split('\n').every((line) => line.length <= 998),
        'RFC 5322, 2.1.1',
      );
    }
    const reasons = ofSubject('Your verification code for Example').map(({ text }) => /Enter this code at Example (to [^.]*)\./.exec(text)?.[1]);
    for (const reason of [
      'to verify your email address',
      'to turn on two-factor authentication',
      'to create a new Recovery Key',
      'to use this address for your account',
      'to turn off two-factor authentication',
    ])
      assert.ok(reasons.includes(reason), `${reason} among ${reasons.join('; ')}`);
  });

  test('the plain and the HTML form say the same, and the HTML asks no other host for anything', () => {
    for (const mail of mails) {
      const page = parse(mail.html);
      const said = page.querySelector('body')!.structuredText.replace(/\s+/g, ' ');
      for (const paragraph of mail.text.split('\n').filter((line) => line.trim() !== '' && !line.endsWith(':'))) {
        assert.ok(said.includes(paragraph.replace(/\s+/g, ' ').trim()), `${mail.subject}: ${paragraph}`);
      }
      assert.equal(page.querySelectorAll('[src], link, script, img, form').length, 0);
      for (const link of page.querySelectorAll('a')) assert.match(link.getAttribute('href')!, /^http:\/\/localhost:3000\//, 'EC-10');
      assert.equal(page.querySelectorAll('b').length, 0, 'a name is text');
    }
  });

  test('a mail that can be answered by going somewhere has one link, to this site', () => {
    for (const mail of mails.filter((one) => codeOf(one) === undefined)) {
      const links = mail.text.match(/https?:\/\/\S+/g) ?? [];
      assert.equal(links.length, 1, mail.subject);
      assert.ok(links[0].startsWith('http://localhost:3000/'));
    }
    for (const mail of mails.filter((one) => codeOf(one) !== undefined))
      assert.doesNotMatch(mail.text, /https?:/, 'nobody learns to click where a code is asked for');
  });

  test('RK-4, LO-2 no mail holds a password, a Recovery Key or an app’s secret', () => {
    assert.ok(secrets.length >= 7);
    for (const mail of mails) for (const secret of secrets) assert.ok(!mail.raw.includes(secret) && !mail.text.includes(secret), `${mail.subject}: ${secret}`);
  });

  test('each goes to one person, from the site, marked as written by a machine', () => {
    for (const mail of mails) {
      assert.equal(mail.to.length, 1);
      assert.equal(mail.from, 'portal@example.com');
      assert.equal(mail.headers.get('auto-submitted'), 'auto-generated');
    }
    assert.equal(new Set(mails.map((mail) => mail.headers.get('message-id'))).size, mails.length);
  });
});
