// The addresses of helping somebody who lost their phone.
import {
  findBypassCode,
  groundsFrom,
  helpRefusal,
  issueBypassCode,
  revokeBypassCode,
  type GroundsTyped,
  type HelpRefusal,
  type Issued,
} from '../lost-phone/lost-phone.ts';
import { actRefusal, may } from '../organisations/organisations.ts';
import { page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { proofIsFresh, readPerson, type PersonInFull } from './admin.ts';
import { actorOf, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import * as helpPages from './help-pages.ts';

const pathOf = (visit: Visit): string => `/admin/people/${visit.parameters['id']}`;

export function mountHelp(web: Web<Console>, world: World): void {
  const address = '/admin/people/:id/bypass-code';
  const form = (visit: Visit) => `${pathOf(visit)}/bypass-code`;
  web.get(address, async (visit, context) => {
    if (!may(context.role, 'issue-bypass-code')) throw noSuchPage();
    const person = await personOf(world, visit, context);
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, form(visit));
    return showForm(world, visit, context, { person, typed: { reason: '', check: '', note: '' } });
  });
  web.post(
    address,
    change(world, { action: 'issue-bypass-code', back: form }, async (visit, context) => {
      const person = await personOf(world, visit, context);
      const typed = { reason: visit.field('reason'), check: visit.field('check'), note: visit.field('note') };
      const read = groundsFrom(typed);
      if (!read.ok) return showForm(world, visit, context, { person, typed, refused: read.refused, status: 422 });
      const wanted = { targetId: person.account.id, grounds: read.grounds, present: visit.field('present') };
      const issued = await issueBypassCode(world, actorOf(visit, context), wanted);
      if (issued.ok) return page(helpPages.bypassCodeIssued(frameOf(world, visit, context), person, issued));
      return showForm(world, visit, context, { person, typed, ...problemOf(world, issued) });
    }),
  );
  web.post(
    `${address}/revoke`,
    change(world, { action: 'issue-bypass-code', back: pathOf }, async (visit, context) => {
      const person = await personOf(world, visit, context);
      const revoked = await revokeBypassCode(world, actorOf(visit, context), person.account.id);
      if (revoked.ok) return done(visit, context, 'bypass-code-revoked', pathOf(visit));
      return showForm(world, visit, context, { person, typed: { reason: '', check: '', note: '' }, ...problemOf(world, revoked) });
    }),
  );
}

async function personOf(world: World, visit: Visit, { organisation }: Console): Promise<PersonInFull> {
  const person = await readPerson(world, organisation, visit.parameters['id']!);
  if (!person) throw noSuchPage();
  return person;
}

interface Shown {
  readonly person: PersonInFull;
  readonly typed: GroundsTyped;
  readonly refused?: Parameters<typeof helpPages.issueBypassCode>[2]['refused'];
  readonly problem?: string;
  readonly status?: number;
}

async function showForm(world: World, visit: Visit, context: Console, { person, status = 200, ...shown }: Shown): Promise<Answer> {
  const { query } = world.database;
  const actor = { accountId: context.session.account.id, role: context.role };
  const target = { accountId: person.account.id, role: person.role };
  const refusal = actRefusal('issue-bypass-code', { actor, target }) ?? (await helpRefusal(world, query, actorOf(visit, context), person.account));
  const obstacle = refusal && refusal !== 'not-found' ? helpPages.HELP_REASONS[refusal] : undefined;
  const bypassCode = await findBypassCode(world, query, person.account.id);
  return page(helpPages.issueBypassCode(frameOf(world, visit, context), { ...person, bypassCode }, { ...shown, obstacle }), status);
}

/** What stands in the way for good is said in place of the form. */
function problemOf({ clock }: World, refused: Exclude<Issued, { ok: true }> | { readonly reason: HelpRefusal }): { problem?: string; status: number } {
  const { reason } = refused;
  if (reason === 'not-found') throw noSuchPage();
  if (reason === 'changed-meanwhile') return { problem: helpPages.HELP_REASONS[reason], status: 409 };
  if (reason !== 'too-many') return { status: reason === 'two-factor-off' ? 422 : 403 };
  const wait = `${waitingTime(refused.retryAt - clock.now())} (at ${timeOf(refused.retryAt)})`;
  return { problem: `Many bypass codes were issued for this person. You can issue another ${wait}.`, status: 429 };
}
