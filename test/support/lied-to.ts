/** A portal whose organisation signs in by an OpenID provider that lies, and somebody who tries to come in by it, through the front door. */
import assert from 'node:assert/strict';
import { openPortal, type Portal, type PortalOptions } from './portal.ts';
import { HostileProvider, type Lies } from './hostile-provider.ts';
import { NameServer } from './name-server.ts';
import { foundOrganisation } from './organisation.ts';
import type { Person } from './person.ts';
import { connectOpenId, wayOut, type ConnectOptions } from './single-sign-on.ts';
import type { Visitor } from './visitor.ts';

export const ADA = 'ada@example.com';
/** The organisation's domain is example.com; whoever comes from there is led to the provider. */
const START_EMAIL = ADA;

export interface Try {
  readonly browser: Visitor;
  /** What whoever looks after the connection reads of it in the log; '' where nothing was written. */
  readonly said: string;
}

export class LiedTo implements AsyncDisposable {
  readonly portal: Portal;
  readonly provider: HostileProvider;
  readonly names: NameServer;
  readonly owner: Person;
  /** The connection's page in the console. */
  readonly path: string;

  private constructor(parts: Pick<LiedTo, 'portal' | 'provider' | 'names' | 'owner' | 'path'>) {
    [this.portal, this.provider, this.names, this.owner, this.path] = [parts.portal, parts.provider, parts.names, parts.owner, parts.path];
  }

  /** On SQLite: what is shown here asks nothing of a database. */
  static async open({ network = {}, ...options }: Pick<PortalOptions, 'network'> & ConnectOptions = {}): Promise<LiedTo> {
    const names = await NameServer.start();
    const portal = await openPortal({ engine: 'sqlite', checkHtml: false, network: { nameServers: [names.address], ...network } });
    const provider = await HostileProvider.start({ now: () => portal.clock.now() });
    provider.account({ email: ADA });
    const owner = await foundOrganisation(portal);
    const path = await connectOpenId(portal, { owner, provider, names, ...options });
    return new LiedTo({ portal, provider, names, owner, path });
  }

  get connectionId(): string {
    return this.path.split('/').at(-1)!;
  }

  /** As far as the page that leads on to the provider. */
  async leave(browser = this.portal.browser()): Promise<Visitor> {
    await browser.visit('/sign-in');
    browser.fill('Email', START_EMAIL);
    await browser.press('Use single sign-on');
    return browser;
  }

  /** Somebody signs in there by `email`, and the provider lies. */
  async signIn(lies: Lies = {}, { email = ADA, browser = this.portal.browser() }: { email?: string; browser?: Visitor } = {}): Promise<Try> {
    const before = this.portal.world.log.lines.length;
    this.provider.lies = lies;
    try {
      await this.leave(browser);
      if (browser.page.buttons.some((name) => name.startsWith('Go on to ')))
        await browser.visit((await this.provider.goThrough(wayOut(browser.page), { email })).href);
    } finally {
      this.provider.lies = {};
    }
    return { browser, said: this.said(before) };
  }

  /** What was logged of it, from a line on. */
  said(from: number): string {
    const lines = this.portal.world.log.lines.slice(from);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error'),
      [],
    );
    return lines
      .filter(({ event }) => event === 'sso_failed')
      .map(({ details }) => String(details['detail']))
      .join(' ');
  }

  /** Nobody is in, the log says why, and the person is told what to do without a word of the inside. */
  async refuses(lies: Lies, says: RegExp, about: string): Promise<void> {
    const { browser, said } = await this.signIn(lies);
    assert.equal(browser.cookies.get('twinlock-session'), undefined, about);
    assert.match(said, says, about);
    assert.equal(browser.page.heading, 'You are not signed in', about);
    assert.ok([403, 503].includes(browser.page.status), about);
    assert.doesNotMatch(browser.page.text, /ID token|claim|kid|nonce|iss\b|127\.0\.0\.1/, about);
  }

  async countAccounts(): Promise<number> {
    return (await this.portal.world.database.query.selectFrom('accounts').select('id').execute()).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.portal.close();
    await this.provider[Symbol.asyncDispose]();
    await this.names[Symbol.asyncDispose]();
  }
}
