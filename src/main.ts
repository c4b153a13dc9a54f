// Starts the portal over the real World: listening, sending, sweeping and chaining.
import type { FastifyInstance } from 'fastify';
import { makeApp } from './app.ts';
import { startCounting, tellOfStuck } from './admin/admin.ts';
import { startChaining, startPruning, startStreaming } from './audit/audit.ts';
import type { Settings } from './config.ts';
import { startResetting } from './lost-phone/lost-phone.ts';
import { repeat, type Background } from './platform/background.ts';
import { minutes, seconds } from './platform/durations.ts';
import { developmentTransport } from './platform/mail/development.ts';
import { startDelivery } from './platform/mail/mail.ts';
import { smtpTransport } from './platform/mail/smtp.ts';
import { reasonOf } from './platform/reason.ts';
import type { DatabaseClock } from './platform/database/clock.ts';
import type { World } from './platform/world.ts';
import { openWorld } from './open-world.ts';
import { startSweeping } from './sweep.ts';

export interface Portal {
  readonly world: World;
  /** Takes no new requests, answers those that are on their way, and closes the database. */
  stop(): Promise<void>;
}

/** Throws an Error whose message is for the operator. */
export async function startPortal(settings: Settings): Promise<Portal> {
  const world = await openWorld(settings);
  const transport = settings.smtpUrl === undefined ? developmentTransport : smtpTransport(settings.smtpUrl, settings.mailFrom);
  const delivery = startDelivery(world, transport);
  const others = [
    startFollowing(world),
    startSweeping(world),
    startChaining(world),
    startStreaming(world, (stuck) => tellOfStuck(world, stuck)),
    startResetting(world),
    startCounting(world),
  ];
  if (settings.auditRetentionDays !== undefined) others.push(startPruning(world, settings.auditRetentionDays));
  const stopBackground = async (): Promise<void> => {
    await Promise.all([delivery, ...others].map((one) => one.stop()));
    await world.database.close();
  };
  let app: FastifyInstance;
  try {
    app = await makeApp(world, { trustedProxies: settings.trustedProxies, afterPost: delivery.nudge, showMail: settings.smtpUrl === undefined });
    await listen(app, settings);
  } catch (error) {
    await stopBackground();
    throw error;
  }
  world.log.info('started', { origin: settings.origin, host: settings.host, port: settings.port, database: settings.database.engine });
  return {
    world,
    async stop() {
      await app.close();
      await stopBackground();
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: Settings): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'EADDRINUSE') throw new Error(`Port ${port} of ${host} is taken by another program. Choose another: TWINLOCK_PORT=${port + 1}`, { cause });
    if (code === 'EACCES')
      throw new Error(`Port ${port} may only be used by the administrator of this machine. Choose one from 1024 on: TWINLOCK_PORT=3000`, { cause });
    throw new Error(`Twinlock can't listen on ${host}, port ${port}: ${reasonOf(cause)}`, { cause });
  }
}

/** Keeps to the database's clock, and tells the operator of a machine whose own is off: its other programs have the wrong time. */
function startFollowing(world: World & { readonly clock: DatabaseClock }): Background {
  return repeat(world, {
    name: 'following the clock of the database',
    every: minutes(1),
    async work() {
      const ahead = await world.clock.follow();
      if (Math.abs(ahead) > OFF_BY_MOST)
        world.log.warn('the clock of the database is not that of this machine', { ahead_by_seconds: Math.round(ahead / 1000) });
    },
  });
}

const OFF_BY_MOST = seconds(10);
