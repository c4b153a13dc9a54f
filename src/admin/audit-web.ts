// /admin/audit and what is below it.
import { eventGroupOf, eventKindOf, eventResultOf } from '../audit/audit.ts';
import { may } from '../organisations/organisations.ts';
import { file, page, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import { startOfDay } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { exportAudit, listAudit, readAuditEvent, takeCheckpoint, type AuditFilter } from './audit-log.ts';
import * as pages from './audit-pages.ts';
import { actorOf, frameOf, type Console } from './console.ts';
import { mountWebhook } from './webhook-web.ts';

const AUDIT = '/admin/audit';

export function mountAudit(web: Web<Console>, world: World): void {
  mountWebhook(web, world);
  web.get(AUDIT, async (visit, context) => {
    const filter = filterOf((name) => visit.query.get(name) ?? '');
    const after = (visit.query.get('after') ?? '').slice(0, TEXT_CHARACTERS_MOST);
    const listed = await listAudit(world.database.query, context.organisation, filter, { after });
    const person = filter.person === '' ? undefined : (listed.events.find(({ on }) => on?.accountId === filter.person)?.on?.name ?? 'one person');
    return page(pages.audit(frameOf(world, visit, context), { ...listed, filter, after, person }));
  });
  web.post(`${AUDIT}/export`, async (visit, context) => {
    if (!may(context.role, 'export')) throw noSuchPage();
    const filter = filterOf((name) => visit.field(name));
    return visit.field('format') === 'json-lines'
      ? file('audit.jsonl', 'application/jsonl; charset=utf-8', await exportAudit(world, actorOf(visit, context), { filter, format: 'json-lines' }))
      : file('audit.csv', 'text/csv; charset=utf-8', await exportAudit(world, actorOf(visit, context), { filter, format: 'csv' }));
  });
  web.post(`${AUDIT}/checkpoint`, async (_visit, context) => {
    if (!may(context.role, 'export')) throw noSuchPage();
    return file('audit-checkpoint.json', 'application/json; charset=utf-8', `${JSON.stringify(await takeCheckpoint(world), null, 2)}\n`);
  });
  web.get(`${AUDIT}/:id`, async (visit: Visit, context) => {
    const event = await readAuditEvent(world.database.query, context.organisation, visit.parameters['id']!);
    if (!event) throw noSuchPage();
    return page(pages.auditEvent(frameOf(world, visit, context), event));
  });
}

const TEXT_CHARACTERS_MOST = 254;

/** What no form of ours says counts as not said. */
function filterOf(read: (name: string) => string): AuditFilter {
  // No keyboard types it, and PostgreSQL refuses it.
  const text = (name: string): string => read(name).slice(0, TEXT_CHARACTERS_MOST).replaceAll('\0', '');
  const day = (name: string): string => (startOfDay(text(name)) === undefined ? '' : text(name));
  return {
    search: text('search'),
    words: text('words'),
    person: text('person'),
    group: eventGroupOf(text('group')),
    result: eventResultOf(text('result')),
    event: text('event').split(',').filter(eventKindOf).join(','),
    from: day('from'),
    to: day('to'),
  };
}
