/**
 * The program itself, killed by SIGKILL in the middle of people's sign-ups, enrolments and sign-ins, and started again over the same data: what was
 * acknowledged is there, nobody is locked out or let in, and no mail is lost or sent twice.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openPostgres } from '../../src/platform/database/postgres.ts';
import { openSqlite } from '../../src/platform/database/sqlite.ts';
import type { Database } from '../../src/platform/database/database.ts';
import { CONNECTIONS_MOST } from '../../src/platform/mail/mail.ts';
import { siteAt } from '../support/http-site.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { keyInFile } from '../support/person.ts';
import { dropPostgresDatabase, freshPostgresDatabase, startPostgres } from '../support/postgres.ts';
import { freePort } from '../support/ports.ts';
import { Workplace, type Serving } from '../support/program.ts';
import { Visitor } from '../support/visitor.ts';

const PASSWORD = 'seven quiet herons fly';
const PEOPLE = 4;

/** What somebody was told, by the page that came after. */
interface Life {
  readonly email: string;
  readonly browser: Visitor;
  signedUp: boolean;
  verified: boolean;
  key: string | undefined;
  enabled: boolean;
  /** Browsers in which they came in. */
  readonly entered: Visitor[];
}

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`on ${engine}`, () => {
    let server: MailServer;
    let workplace: Workplace;
    let environment: Record<string, string>;
    let place: string;
    let cleanUp: () => Promise<void> = async () => undefined;
    before(async () => {
      server = await startMailServer();
      workplace = new Workplace();
      place = `${workplace.directory}/data/twinlock.sqlite`;
      environment = {
        TWINLOCK_PORT: String(await freePort()),
        TWINLOCK_HOST: '127.0.0.1',
        TWINLOCK_TRUSTED_PROXIES: '127.0.0.1',
        TWINLOCK_SMTP_URL: server.url,
      };
      if (engine === 'postgres') {
        const postgres = await startPostgres();
        place = await freshPostgresDatabase(postgres);
        environment['TWINLOCK_DATABASE_URL'] = place;
        cleanUp = () => dropPostgresDatabase(postgres, place);
      }
    });
    after(async () => {
      workplace[Symbol.dispose]();
      await server.close();
      await cleanUp();
    });

    test('killed twice under load: what was acknowledged holds, and the outbox goes on where it was', async () => {
      const port = Number(environment['TWINLOCK_PORT']);
      const site = siteAt(port);
      const visitor = (index: number) => new Visitor(site, { origin: `http://localhost:${port}`, address: `198.51.100.${index}`, checkHtml: false });
      const lives = Array.from({ length: PEOPLE }, (_, index): Life => {
        const browser = visitor(index);
        return { email: `person${index}@example.org`, browser, signedUp: false, verified: false, key: undefined, enabled: false, entered: [browser] };
      });

      // First while everything works, then while mail waits because its server is down.
      await liveUntilKilled(lives, { steps: 5 * PEOPLE, visitor });
      await server.goDown();
      await liveUntilKilled(lives, { steps: 2, visitor });
      await server.comeBack();

      await using again = await workplace.serve(environment);
      await checkAcknowledged(lives, { visitor });
      await checkMail(lives, again, { server, open: () => (engine === 'sqlite' ? openSqlite(place) : openPostgres(place)) });
      site.close();
    });

    /** Starts the portal, lets everybody live, and kills it once so many steps were acknowledged, with others on their way. */
    async function liveUntilKilled(lives: readonly Life[], { steps, visitor }: { steps: number; visitor: (index: number) => Visitor }): Promise<void> {
      await using serving = await workplace.serve(environment);
      const killed = Promise.withResolvers<never>();
      killed.promise.catch(() => undefined);
      let acknowledged = 0;
      const acknowledge = (): void => {
        acknowledged += 1;
        if (acknowledged === steps) void serving.kill().then(() => killed.reject(new Error('killed')));
      };
      const next = (email: string) => Promise.race([server.next(email), killed.promise]);
      const ended = await Promise.allSettled(lives.map((life, index) => live(life, { next, acknowledge, abroad: () => visitor(100 + index) })));
      const reasons = ended.map((one) => (one.status === 'rejected' ? String(one.reason) : one.status));
      assert.ok(acknowledged >= steps, reasons.join('\n'));
      for (const reason of reasons) assert.match(reason, /killed|ECONN|socket hang up/);
    }
  });
}

/** Goes on from where the person was, for ever: signs up, verifies, enables, and then signs in, with mail or, while there is none, without. */
async function live(
  life: Life,
  { next, acknowledge, abroad }: { next: (email: string) => Promise<{ text: string }>; acknowledge: () => void; abroad: () => Visitor },
): Promise<void> {
  const { browser, email } = life;
  const code = async (): Promise<string> => {
    for (;;) {
      const found = /^(\d{6})\s/.exec((await next(email)).text)?.[1];
      if (found !== undefined) return found;
    }
  };
  if (!life.signedUp) {
    await browser.visit('/sign-up');
    browser.fill('Name', 'Ada');
    browser.fill('Email', email);
    browser.fill('Password', PASSWORD);
    await browser.press('Create account');
    life.signedUp = browser.page.heading === 'Check your email';
    acknowledge();
  }
  if (!life.verified) {
    await browser.visit('/verify-email/code');
    browser.fill('Verification code', await code());
    await browser.press('Continue');
    life.verified = browser.page.heading === 'Your email is verified';
    acknowledge();
  }
  if (!life.enabled) {
    await browser.visit('/account/security/enable');
    await browser.press('Send verification code');
    browser.fill('Verification code', await code());
    await browser.press('Continue');
    await browser.press('Download');
    life.key = keyInFile(browser.download!.text);
    await browser.press('Finish');
    life.enabled = browser.page.heading === 'Security and Credentials';
    acknowledge();
  }
  for (;;) {
    const other = abroad();
    await enterPassword(other, email);
    acknowledge();
    other.fill('Verification code', await code());
    await other.press('Continue');
    if (other.page.path === '/account') life.entered.push(other);
    acknowledge();
  }
}

async function enterPassword(browser: Visitor, email: string): Promise<void> {
  await browser.visit('/sign-in');
  browser.fill('Email', email);
  browser.fill('Password', PASSWORD);
  await browser.press('Sign in');
}

async function checkAcknowledged(lives: readonly Life[], { visitor }: { visitor: (index: number) => Visitor }): Promise<void> {
  assert.ok(
    lives.some((life) => life.enabled),
    'Somebody came as far as that.',
  );
  for (const [index, life] of lives.entries()) {
    // A browser that was let in still is; its session is not one that another change ended.
    if (life.signedUp) assert.equal((await life.entered.at(-1)!.visit('/account')).path, '/account', life.email);
    if (!life.verified) continue;
    const stranger = visitor(200 + index);
    await enterPassword(stranger, life.email);
    assert.notEqual(stranger.page.path, '/sign-in', `${life.email}: ${stranger.page.text}`);
    if (!life.enabled) continue;
    assert.equal((await stranger.visit('/account')).path, '/sign-in', 'A password alone opens nothing.');
    await stranger.visit('/sign-in/verify/other');
    await stranger.press(stranger.page.buttonStartingWith('Recovery Key'));
    stranger.fill('Recovery Key', life.key!);
    await stranger.press('Continue');
    await stranger.press('Download');
    await stranger.press('Finish');
    assert.equal(stranger.page.heading, 'Security and Credentials', life.email);
  }
}

async function checkMail(lives: readonly Life[], serving: Serving, { server, open }: { server: MailServer; open: () => Database }): Promise<void> {
  const database = open();
  // What a process had claimed when it was killed is left alone for some minutes. Here they are over at once.
  const left = async (): Promise<number> => (await database.query.selectFrom('outbox').select('id').execute()).length;
  const claimed = await database.query
    .updateTable('outbox')
    .set({ next_try_at: 0 })
    .where('next_try_at', '>', Date.now())
    .where('tries', '>', 0)
    .executeTakeFirst();
  while ((await left()) > 0) await new Promise(setImmediate);
  await database.close();
  assert.ok(Number(claimed.numUpdatedRows) <= 2 * CONNECTIONS_MOST + PEOPLE, 'No more than what was on its way, or was tried while the server was down.');

  const ids = server.inbox.map(({ headers }) => headers.get('message-id')!);
  assert.ok(ids.length - new Set(ids).size <= CONNECTIONS_MOST, 'Twice only what the server had taken when the process was killed.');
  for (const life of lives) {
    const subjects = server.inbox.filter(({ to }) => to.includes(life.email)).map(({ subject }) => subject);
    if (life.signedUp)
      assert.ok(
        subjects.some((one) => one.startsWith('Your verification code')),
        life.email,
      );
    if (life.enabled) assert.ok(subjects.includes('Two-factor authentication is on for Twinlock'), life.email);
    if (life.enabled) assert.ok(subjects.includes('Your Recovery Key was used for Twinlock'), life.email);
  }
  assert.equal(serving.said.errors, '');
}
