/**
 * The whole portal in process, over a World of the test's own, with the mail that it sends and the people who use it:
 *   forEachPortal((open) => {
 *     test('…', async () => {
 *       const portal = await open();
 *       const ada = await portal.newcomer().signUp();
 *       await ada.verifyEmail();
 *       const { key } = await ada.enableByApp();
 *       await ada.signIn({ browser: portal.browser(), by: 'app' });
 *       await portal.restart();
 *       await ada.browser.reload();
 *     });
 *   });
 * Browsers and people outlive a restart, as they do outside. Mail is delivered after each request that may change something, as the program does it.
 * Several people can share one portal: each has an address, a browser and a network of their own, so no limit of one touches another.
 * The clock is the portal's: it only goes forward, and what one test moves all see.
 */
import { after, describe } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { makeApp, type AppOptions } from '../../src/app.ts';
import type { Engine } from '../../src/platform/database/database.ts';
import { setPolicy, type TwoFactorPolicy } from '../../src/policy/policy.ts';
import { Person, type PersonOptions } from './person.ts';
import { Postbox } from './postbox.ts';
import { Visitor, type Site, type VisitorOptions } from './visitor.ts';
import { forEachDatabase, makeTestWorld, type TestWorld, type TestWorldOptions } from './world.ts';

export interface PortalOptions extends Omit<TestWorldOptions, 'engine'> {
  readonly app?: AppOptions;
  /** Given to every browser unless it is told otherwise, see VisitorOptions. */
  readonly checkHtml?: boolean;
}

export type OpenPortal = (options?: PortalOptions) => Promise<Portal>;

/** Declares the same suite once on SQLite and once on PostgreSQL. Portals are closed when the suite ends. */
export function forEachPortal(suite: (open: OpenPortal, engine: Engine) => void): void {
  forEachDatabase((engine, make) => {
    const opened: Portal[] = [];
    after(async () => {
      for (const portal of opened.toReversed()) await portal.close();
    });
    suite(async (options = {}) => {
      // The pages are the same on both, and checking one costs more than making it.
      const portal = await Portal.over(await make(options), { checkHtml: engine === 'sqlite', ...options });
      opened.push(portal);
      return portal;
    }, engine);
  });
}

/**
 * On SQLite alone: for what has no SQL of its own. The statements of every flow run on PostgreSQL too, one by one with faults (test/faults/statements.test.ts) and in any
 * order (test/properties/model.test.ts).
 */
export function onOneDatabase(suite: (open: OpenPortal) => void): void {
  describe('on sqlite', () => {
    const opened: Portal[] = [];
    after(async () => {
      for (const portal of opened.toReversed()) await portal.close();
    });
    suite(async (options = {}) => {
      const portal = await openPortal({ ...options, engine: 'sqlite' });
      opened.push(portal);
      return portal;
    });
  });
}

/** For a test of its own; else see forEachPortal. */
export async function openPortal(options: PortalOptions & { readonly engine: Engine }): Promise<Portal> {
  return Portal.over(await makeTestWorld(options), options);
}

/** Coming back from an identity provider is the one step that a link makes. */
const mayChange = ({ method, url }: InjectOptions): boolean => (method !== 'GET' && method !== 'HEAD') || (typeof url === 'string' && url.includes('/arrived'));

export class Portal implements AsyncDisposable {
  readonly mail = new Postbox();
  readonly #options: PortalOptions;
  readonly #site: Site;
  #world: TestWorld;
  #app: FastifyInstance;
  #newcomers = 0;
  #delivered: Promise<unknown> = Promise.resolve();

  private constructor(world: TestWorld, app: FastifyInstance, options: PortalOptions) {
    this.#world = world;
    this.#app = app;
    this.#options = options;
    this.#site = {
      inject: async (request: InjectOptions) => {
        const response = await this.#app.inject(request);
        // One after the other: answers must come in the order in which the portal gave them.
        if (mayChange(request)) await (this.#delivered = this.#delivered.catch(() => undefined).then(() => this.mail.deliver(this.#world)));
        return response;
      },
    };
  }

  static async over(world: TestWorld, options: PortalOptions = {}): Promise<Portal> {
    return new Portal(world, await makeApp(world, options.app), options);
  }

  /** Of the process that runs now. */
  get world(): TestWorld {
    return this.#world;
  }

  get app(): FastifyInstance {
    return this.#app;
  }

  get clock(): TestWorld['clock'] {
    return this.#world.clock;
  }

  /** A browser that was never here before. */
  browser(options: VisitorOptions = {}): Visitor {
    const { checkHtml } = this.#options;
    const { origin } = this.#world.installation;
    return new Visitor(this.#site, { origin, ...(checkHtml === undefined ? {} : { checkHtml }), ...options });
  }

  /** As it goes over the wire, from whatever is no browser. */
  send(request: InjectOptions): ReturnType<Site['inject']> {
    return this.#site.inject(request);
  }

  /** Somebody who has no account yet. */
  newcomer(options: PersonOptions = {}): Person {
    this.#newcomers += 1;
    return new Person(this, this.#newcomers, options);
  }

  /** As `twinlock policy set` does while the server runs. */
  async setPolicy(twoFactor: TwoFactorPolicy): Promise<void> {
    await this.#world.database.transaction((transaction) => setPolicy(this.#world, transaction, twoFactor));
  }

  /** The process ends and another one starts over the same data: what memory held is gone. */
  async restart(): Promise<void> {
    await this.#app.close();
    this.#world = await this.#world.restart();
    this.#app = await makeApp(this.#world, this.#options.app);
  }

  async close(): Promise<void> {
    await this.#app.close();
    await this.#world.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
