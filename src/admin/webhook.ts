// Streaming the audit log out: who may set where to, and who is told that it was.
import { failureIn, findWebhook, pauseWebhook, putWebhook, record, removeWebhook, sendTestEvent, type Stuck } from '../audit/audit.ts';
import { byWhom, findActing, findOrganisations, may, nameOfActor, type Actor, type Organisation } from '../organisations/organisations.ts';
import type { Transaction } from '../platform/database/database.ts';
import { isPublicAddress } from '../platform/http/public-address.ts';
import { post } from '../platform/mail/mail.ts';
import type { World } from '../platform/world.ts';
import * as store from './store.ts';

const ADDRESS_CHARACTERS_MOST = 1000;

export type WebhookRefusal = 'not-allowed' | 'address' | 'scheme' | 'private';
export type WebhookSet = { readonly ok: true; readonly secret: string } | { readonly ok: false; readonly reason: WebhookRefusal };
export type WebhookDone = { readonly ok: true } | { readonly ok: false; readonly reason: 'not-allowed' | 'not-found' };

/** Returns the secret, which is stored sealed and shown this once. One that was set before is worth nothing from here on. */
export async function setWebhook(world: World, actor: Actor, text: string): Promise<WebhookSet> {
  const url = receiverOf(text, world.installation);
  if (typeof url === 'string') return { ok: false, reason: url };
  return world.database.transaction(async (transaction) => {
    if (!(await mayAct(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const secret = await putWebhook(world, transaction, { organisationId: actor.organisation.id, url });
    await tell(world, transaction, actor, { to: 'set', host: url.host });
    return { ok: true, secret };
  });
}

export type WebhookChange = 'paused' | 'resumed' | 'removed';

export async function changeWebhook(world: World, actor: Actor, to: WebhookChange): Promise<WebhookDone> {
  const { id } = actor.organisation;
  return world.database.transaction(async (transaction): Promise<WebhookDone> => {
    if (!(await mayAct(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const webhook = await findWebhook(transaction, id);
    if (!webhook) return { ok: false, reason: 'not-found' };
    const changed = to === 'removed' ? await removeWebhook(transaction, id) : await pauseWebhook(transaction, id, to === 'paused');
    // Whoever presses a button twice has done it once.
    if (changed) await tell(world, transaction, actor, { to, host: webhook.host });
    return { ok: true };
  });
}

/** `failure`: what went wrong, in words that follow the receiver's name. */
export async function testWebhook(world: World, actor: Actor): Promise<WebhookDone & { failure?: string }> {
  const allowed = await world.database.transaction(async (transaction): Promise<WebhookDone> => {
    if (!(await mayAct(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const webhook = await findWebhook(transaction, actor.organisation.id);
    if (!webhook) return { ok: false, reason: 'not-found' };
    await recordChange(world, transaction, actor, { to: 'tested', host: webhook.host });
    return { ok: true };
  });
  if (!allowed.ok) return allowed;
  const posted = await sendTestEvent(world, actor.organisation.id);
  if (!posted) return { ok: false, reason: 'not-found' };
  return posted.ok ? { ok: true } : { ok: true, failure: failureIn(posted) };
}

async function mayAct(transaction: Transaction, actor: Actor): Promise<boolean> {
  const acting = await findActing(transaction, actor);
  return acting !== undefined && may(acting.role, 'set-webhook');
}

/**
 * What may be an address: https, or http to this very machine while Twinlock is developed. Numbers are looked at here, so that a slip is told at once;
 * names when a connection is made, each time (platform/http/post-out.ts).
 */
function receiverOf(text: string, { development }: World['installation']): URL | 'address' | 'scheme' | 'private' {
  const trimmed = text.trim();
  if (trimmed.length > ADDRESS_CHARACTERS_MOST || !/^[\x21-\x7e]+$/.test(trimmed) || !URL.canParse(trimmed)) return 'address';
  const url = new URL(trimmed);
  if (url.username !== '' || url.password !== '' || url.hash !== '' || url.hostname === '') return 'address';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const here = host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && development && here)) return 'scheme';
  const isNumber = host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
  return !development && (isNumber ? !isPublicAddress(host) : /(?:^|\.)localhost\.?$/.test(host)) ? 'private' : url;
}

async function recordChange(world: World, transaction: Transaction, actor: Actor, { to, host }: { to: string; host: string }): Promise<void> {
  const { organisation, account, from } = actor;
  const details = { organisation: organisation.id, host, to, by: byWhom(actor) };
  await record(world, transaction, { event: 'organisation_webhook_changed', accountId: account.id, from, details });
}

const TOLD: Readonly<Record<'set' | WebhookChange, string>> = {
  set: 'is streamed from now on to',
  paused: 'is, for now, no longer streamed to',
  resumed: 'is streamed again to',
  removed: 'is no longer streamed to',
};

/** Everybody who looks after the organisation: whoever takes the log out, or stops it, does it before their eyes. */
async function tell(world: World, transaction: Transaction, actor: Actor, { to, host }: { to: 'set' | WebhookChange; host: string }): Promise<void> {
  await recordChange(world, transaction, actor, { to, host });
  const { name } = world.installation;
  const sentence = `The audit log of ${actor.organisation.name} on ${name} ${TOLD[to]} ${host}. ${nameOfActor(actor)} has set it so.`;
  const notYou = 'If you did not expect this, ask them, or somebody else who looks after the organisation.';
  await postToManagers(world, transaction, { organisation: actor.organisation, sentence, notYou });
}

/** The same people, where nothing could be delivered for a day. */
export async function tellOfStuck(world: World, { organisationId, host, reason }: Stuck): Promise<void> {
  await world.database.transaction(async (transaction) => {
    const organisation = (await findOrganisations(transaction, organisationId)).find(({ id }) => id === organisationId);
    if (!organisation) return;
    const sentence = `For about a day the audit log of ${organisation.name} could not be delivered to ${host}: ${reason}. It is kept, and tried again every hour.`;
    const notYou = 'If you don’t know the receiver, ask whoever has set it up.';
    await postToManagers(world, transaction, { organisation, sentence, notYou });
  });
}

async function postToManagers(
  world: World,
  transaction: Transaction,
  { organisation, sentence, notYou }: { organisation: Organisation; sentence: string; notYou: string },
): Promise<void> {
  const { origin } = world.installation;
  const people = await store.selectManagers(transaction, organisation.id);
  await post(
    world,
    transaction,
    people.map((person) => ({
      to: { name: person.name, address: person.email },
      subject: `The audit log of ${organisation.name}`,
      code: undefined,
      paragraphs: [sentence],
      link: { label: 'Look at it', url: `${origin}/admin/audit/webhook?organisation=${organisation.id}` },
      asked: undefined,
      notYou,
      expiresAt: undefined,
    })),
  );
}
