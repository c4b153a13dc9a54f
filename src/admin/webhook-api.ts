// Streaming the audit log out, for programs. Everybody who looks after the organisation is told of each change, as in the console.
import { z } from 'zod';
import { findWebhook } from '../audit/audit.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, type Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { actProblem } from './people-api.ts';
import { changeWebhook, setWebhook, testWebhook, type WebhookChange, type WebhookRefusal } from './webhook.ts';

const READING = { tag: 'Audit log', scope: 'audit:read' } as const;
const WRITING = { tag: 'Audit log', scope: 'audit:write' } as const;

const instant = z.iso.datetime();
const webhookFields = {
  host: z.string().describe('Where to; the rest of the address is shown to nobody'),
  paused: z.boolean(),
  createdAt: instant,
  lastDeliveredAt: instant.nullable(),
  failure: z
    .object({ reason: z.string(), at: instant, tries: z.int(), nextTryAt: instant })
    .nullable()
    .describe('What went wrong at the last try; null where it went well'),
};
const webhookShape = z.object(webhookFields).meta({ id: 'Webhook' });
const webhookSetShape = z.object({ ...webhookFields, secret: z.string().describe('By which it is signed. Shown this once') }).meta({ id: 'WebhookSet' });

export function webhookOperations(world: World): readonly Operation<KeyHolder>[] {
  const changes = [
    change(world, { name: 'pauseWebhook', verb: 'pause', to: 'paused', summary: 'Stops streaming for now' }),
    change(world, { name: 'resumeWebhook', verb: 'resume', to: 'resumed', summary: 'Goes on streaming, from where it stopped' }),
  ];
  return [read(world), set(world), test(world), ...changes, remove(world)];
}

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readWebhook',
    method: 'GET',
    path: '/audit/webhook',
    summary: 'Shows where the log is streamed to',
    refusals: ['not-found'],
    answer: { status: 200, says: 'The webhook', shape: webhookShape },
    handle: (holder: KeyHolder) => webhookAsJson(world, holder),
  });

async function webhookAsJson({ database: { query } }: World, { actor: { organisation } }: KeyHolder): Promise<z.input<typeof webhookShape>> {
  const webhook = await findWebhook(query, organisation.id);
  if (!webhook) throw noSuchThing();
  const { host, paused, createdAt, lastDeliveredAt, failure } = webhook;
  return {
    host,
    paused,
    createdAt: isoOf(createdAt),
    lastDeliveredAt: lastDeliveredAt === null ? null : isoOf(lastDeliveredAt),
    failure: failure ? { reason: failure.reason, at: isoOf(failure.at), tries: failure.tries, nextTryAt: isoOf(failure.nextTryAt) } : null,
  };
}

const set = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'setWebhook',
    method: 'PUT',
    path: '/audit/webhook',
    summary: 'Streams the log to an address',
    description: 'From now on, or from where the one before had come. The secret of the one before is worth nothing any more.',
    body: z.strictObject({ address: z.string().max(1000) }),
    answer: { status: 200, says: 'The webhook, and its secret', shape: webhookSetShape },
    refusals: ['not-allowed'],
    handle: async (holder: KeyHolder, { body: { address } }) => {
      const done = await setWebhook(world, holder.actor, address);
      if (!done.ok) throw refusalOf(done.reason);
      return { ...(await webhookAsJson(world, holder)), secret: done.secret };
    },
  });

const SENTENCES: Readonly<Record<Exclude<WebhookRefusal, 'not-allowed'>, string>> = {
  address: 'Not an address such as https://log.example.org/twinlock, without a name or a password in it.',
  scheme: 'The address has to begin with https://.',
  private: 'The address is of a private network.',
};

function refusalOf(reason: WebhookRefusal | 'not-found'): Problem {
  if (reason === 'not-found') return noSuchThing();
  return reason === 'not-allowed' ? actProblem(reason) : doesNotFit([{ pointer: '#/address', detail: SENTENCES[reason] }]);
}

const test = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'testWebhook',
    method: 'POST',
    path: '/audit/webhook/test',
    summary: 'Sends a test event',
    answer: {
      status: 200,
      says: 'What came of it',
      shape: z.object({ delivered: z.boolean(), failure: z.string().nullable().describe('What went wrong, in words that follow the name of the receiver') }),
    },
    refusals: ['not-allowed', 'not-found'],
    handle: async ({ actor }: KeyHolder) => {
      const tested = await testWebhook(world, actor);
      if (!tested.ok) throw refusalOf(tested.reason);
      return { delivered: tested.failure === undefined, failure: tested.failure ?? null };
    },
  });

const change = (world: World, { name, verb, to, summary }: { name: string; verb: string; to: WebhookChange; summary: string }): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name,
    method: 'POST',
    path: `/audit/webhook/${verb}`,
    summary,
    answer: { status: 200, says: 'The webhook, as it is now', shape: webhookShape },
    refusals: ['not-allowed', 'not-found'],
    handle: async (holder: KeyHolder) => {
      const changed = await changeWebhook(world, holder.actor, to);
      if (!changed.ok) throw refusalOf(changed.reason);
      return webhookAsJson(world, holder);
    },
  });

const remove = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'removeWebhook',
    method: 'DELETE',
    path: '/audit/webhook',
    summary: 'Ends streaming',
    answer: { status: 204, says: 'Nothing is streamed any more' },
    refusals: ['not-allowed', 'not-found'],
    handle: async ({ actor }: KeyHolder) => {
      const removed = await changeWebhook(world, actor, 'removed');
      if (!removed.ok) throw refusalOf(removed.reason);
    },
  });
