import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTransport } from 'nodemailer';
import { launchBrowser } from './browser.ts';
import { startMailServer } from './mail-server.ts';
import { seededRandom } from './seeded-random.ts';

const letter = { from: 'portal@example.org', to: 'ada@example.org', subject: 'Clé ✓', text: 'Bonjour', html: '<p>Bonjour</p>' };

test('the mail server keeps what it takes, over STARTTLS and with a login', async () => {
  await using mail = await startMailServer({ startTls: true, login: { user: 'portal', password: 'a:b@c' } });
  const transport = createTransport({ url: mail.url, requireTLS: true, tls: { ca: mail.certificate } });
  await transport.sendMail(letter);
  const { from, to, subject, text, html, encrypted, user } = await mail.next('ada@example.org');
  assert.deepEqual(
    { from, to, subject, text: text.trim(), html: html.trim(), encrypted, user },
    { from: 'portal@example.org', to: ['ada@example.org'], subject: 'Clé ✓', text: 'Bonjour', html: '<p>Bonjour</p>', encrypted: true, user: 'portal' },
  );
  await assert.rejects(createTransport({ url: mail.url.replace('portal', 'other'), tls: { ca: mail.certificate } }).verify(), { responseCode: 535 });
});

test('the mail server fails as told, and comes back on the same port', async () => {
  await using mail = await startMailServer();
  const transport = createTransport({ url: mail.url });
  mail.faults.reject = (address) => address.startsWith('nobody');
  await assert.rejects(transport.sendMail({ ...letter, to: 'nobody@example.org' }), { responseCode: 550 });
  mail.faults.defer = () => true;
  await assert.rejects(transport.sendMail(letter), { responseCode: 451 });
  mail.faults.defer = () => false;
  mail.faults.dropAfterData = true;
  await assert.rejects(transport.sendMail(letter));
  assert.equal(mail.inbox.length, 1);
  mail.faults.dropAfterData = false;
  await mail.goDown();
  await assert.rejects(transport.sendMail(letter), { code: 'ESOCKET' });
  await mail.comeBack();
  await transport.sendMail(letter);
  assert.equal(mail.inbox.length, 2);
});

test('the browser shows a page', async () => {
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.setContent('<h1>Twinlock</h1>');
  assert.equal(await page.locator('h1').textContent(), 'Twinlock');
});

test('seeded randomness repeats itself, and is even', () => {
  assert.deepEqual(seededRandom(5).bytes(32), seededRandom(5).bytes(32));
  assert.notDeepEqual(seededRandom(5).bytes(32), seededRandom(6).bytes(32));
  const random = seededRandom(1);
  const drawn = Array.from({ length: 10 }, () => 0);
  for (let count = 0; count < 10_000; count += 1) drawn[random.integer(10)]! += 1;
  assert.ok(
    drawn.every((count) => count > 850 && count < 1150),
    drawn.join(' '),
  );
});
