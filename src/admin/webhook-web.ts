// /admin/audit/webhook
import { findWebhook, readWebhookAddress } from '../audit/audit.ts';
import { may } from '../organisations/organisations.ts';
import { page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { actorOf, change, done, frameOf, type Console } from './console.ts';
import { REASONS } from './people-pages.ts';
import { changeWebhook, setWebhook, testWebhook, type WebhookChange, type WebhookDone, type WebhookRefusal } from './webhook.ts';
import * as pages from './webhook-pages.ts';

const WEBHOOK = '/admin/audit/webhook';

export function mountWebhook(web: Web<Console>, world: World): void {
  const form = (address: string, handler: (visit: Visit, context: Console) => Promise<Answer>): void =>
    web.post(address, change(world, { action: 'set-webhook', back: () => WEBHOOK }, handler));
  web.get(WEBHOOK, (visit, context) => show(world, visit, context));
  form(WEBHOOK, async (visit, context) => {
    const typed = visit.field('address');
    const set = await setWebhook(world, actorOf(visit, context), typed);
    if (set.ok) return page(pages.webhookSecret(frameOf(world, visit, context), set.secret));
    if (set.reason === 'not-allowed') throw refusedTo(set.reason);
    return show(world, visit, context, { typed, refused: SENTENCES[set.reason] });
  });
  form(`${WEBHOOK}/test`, async (visit, context) => {
    const tested = await testWebhook(world, actorOf(visit, context));
    if (!tested.ok) throw refusedTo(tested.reason);
    return tested.failure === undefined ? done(visit, context, 'webhook-tested', WEBHOOK) : show(world, visit, context, { failure: tested.failure });
  });
  const mount = (verb: string, to: WebhookChange): void =>
    form(`${WEBHOOK}/${verb}`, async (visit, context) => {
      const changed = await changeWebhook(world, actorOf(visit, context), to);
      if (!changed.ok) throw refusedTo(changed.reason);
      return done(visit, context, `webhook-${to}`, WEBHOOK);
    });
  mount('pause', 'paused');
  mount('resume', 'resumed');
  mount('remove', 'removed');
}

const SENTENCES: Readonly<Record<Exclude<WebhookRefusal, 'not-allowed'>, string>> = {
  address: 'Enter an address such as https://log.example.org/twinlock, without a name or a password in it.',
  scheme: 'The address has to begin with https://, so that nobody reads the log on its way.',
  private: 'This address is of a private network. The log is sent to addresses of the Internet alone.',
};

const refusedTo = (reason: Extract<WebhookDone, { ok: false }>['reason']): Problem =>
  reason === 'not-found' ? noSuchPage() : new Problem('not-allowed', REASONS['not-allowed']);

async function show(world: World, visit: Visit, context: Console, said: { typed?: string; refused?: string; failure?: string } = {}): Promise<Answer> {
  const { id } = context.organisation;
  const webhook = await findWebhook(world.database.query, id);
  const address = may(context.role, 'set-webhook') ? await readWebhookAddress(world, id) : undefined;
  return page(pages.webhook(frameOf(world, visit, context), { webhook, address, ...said }), said.refused === undefined ? 200 : 422);
}
