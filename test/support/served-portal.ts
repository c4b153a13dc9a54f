/**
 * The portal as people meet it: it listens on a port of this machine, and its outbox delivers to a real mail server.
 *   await using portal = await servePortal();
 *   await page.goto(`${portal.origin}/sign-up`);
 *   const code = await portal.codeTo('ada@example.org');
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { makeApp } from '../../src/app.ts';
import { developmentTransport } from '../../src/platform/mail/development.ts';
import { startDelivery, type Transport } from '../../src/platform/mail/mail.ts';
import { smtpTransport } from '../../src/platform/mail/smtp.ts';
import type { Installation, World } from '../../src/platform/world.ts';
import { setPolicy, type TwoFactorPolicy } from '../../src/policy/policy.ts';
import { startMailServer, type Mail, type MailServer } from './mail-server.ts';
import { NameServer } from './name-server.ts';
import { makeTestWorld, type TestClock, type TestWorld, type TestWorldOptions } from './world.ts';

export interface ServedPortalOptions extends Partial<Omit<TestWorldOptions, 'installation'>> {
  readonly name?: string;
  /** As `npm start`: mail is shown at /dev/mail and sent nowhere. */
  readonly development?: boolean;
  readonly trustedProxies?: readonly string[];
  /** Where people reach it, if that is a proxy before it; else http://localhost and the port that was free. */
  readonly behind?: string;
  /** Who may make an account; everybody unless told. */
  readonly signUp?: Installation['signUp'];
}

export class ServedPortal implements AsyncDisposable {
  /** http://localhost and the port that was free, unless it is behind a proxy. It stays the same over a restart. */
  readonly origin: string;
  readonly port: number;
  readonly mail: MailServer;
  /** The one that the portal asks for the records of domains. */
  readonly names: NameServer;
  /** Where else its pages may lead: to the identity providers that a test starts. */
  readonly otherOrigins = new Set<string>();
  #running: Running;

  private constructor(running: Running, mail: MailServer, names: NameServer) {
    this.#running = running;
    this.names = names;
    this.origin = running.world.installation.origin;
    this.port = (running.app.server.address() as AddressInfo).port;
    this.mail = mail;
  }

  static async start({
    name = 'Example Ltd',
    development = false,
    signUp = 'open',
    engine = 'sqlite',
    trustedProxies = [],
    behind,
    ...options
  }: ServedPortalOptions): Promise<ServedPortal> {
    const mail = await startMailServer();
    const names = await NameServer.start();
    const world = await makeTestWorld({
      ...options,
      network: { nameServers: [names.address], ...options.network },
      engine,
      installation: { name, origin: behind ?? '', secure: behind?.startsWith('https:') === true, development, signUp },
    });
    return new ServedPortal(await run(world, mail, { port: 0, development, trustedProxies }), mail, names);
  }

  get world(): World {
    return this.#running.world;
  }

  get app(): FastifyInstance {
    return this.#running.app;
  }

  get clock(): TestClock {
    return this.#running.kept.clock;
  }

  /** The code of the next mail to the address that has one. */
  async codeTo(address: string): Promise<string> {
    for (;;) {
      const code = /^\d{6}\b/.exec((await this.mail.next(address)).text)?.[0];
      if (code !== undefined) return code;
    }
  }

  /** The next mail to the address with these words in its subject. */
  async mailTo(address: string, subject: string): Promise<Mail> {
    for (;;) {
      const mail = await this.mail.next(address);
      if (mail.subject.includes(subject)) return mail;
    }
  }

  /** As `twinlock policy set` does while the server runs. */
  async setPolicy(twoFactor: TwoFactorPolicy): Promise<void> {
    await this.world.database.transaction((transaction) => setPolicy(this.world, transaction, twoFactor));
  }

  /** The process ends, and another one serves the same data at the same address. */
  async restart(): Promise<void> {
    const { kept, world } = this.#running;
    await this.#stop();
    this.#running = await run(await kept.restart(), this.mail, {
      port: this.port,
      development: world.installation.development,
      trustedProxies: this.#running.trustedProxies,
    });
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#running.kept.close();
    await this.mail.close();
    await this.names[Symbol.asyncDispose]();
  }

  async #stop(): Promise<void> {
    // A browser keeps its connections open.
    this.app.server.closeAllConnections();
    await this.app.close();
    await this.#running.delivery.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export const servePortal = (options: ServedPortalOptions = {}): Promise<ServedPortal> => ServedPortal.start(options);

interface Running {
  readonly kept: TestWorld;
  readonly world: World;
  readonly app: FastifyInstance;
  readonly delivery: ReturnType<typeof startDelivery>;
  readonly trustedProxies: readonly string[];
}

async function run(
  kept: TestWorld,
  mail: MailServer,
  { port, development, trustedProxies }: { port: number; development: boolean; trustedProxies: readonly string[] },
): Promise<Running> {
  // The origin has the port in it, and the port is known only once somebody listens.
  const installation = { ...kept.installation };
  const world: World = { ...kept, installation };
  const delivery = startDelivery(world, transportFor(mail, installation.name, development));
  const app = await makeApp(world, { afterPost: delivery.nudge, showMail: development, trustedProxies });
  await app.listen({ port, host: '127.0.0.1' });
  if (!installation.secure) installation.origin = `http://localhost:${(app.server.address() as AddressInfo).port}`;
  return { kept, world, app, delivery, trustedProxies };
}

function transportFor(mail: MailServer, name: string, development: boolean): Transport {
  return development ? developmentTransport : smtpTransport(mail.url, { name, address: 'no-reply@example.com' });
}
