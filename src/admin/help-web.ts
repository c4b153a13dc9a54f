// The addresses of helping somebody who lost their phone.
import {
  approveReset,
  askForReset,
  groundsFrom,
  helpRefusal,
  issueBypassCode,
  revokeBypassCode,
  stopReset,
  type Grounds,
  type GroundsTyped,
  type HelpRefusal,
} from '../lost-phone/lost-phone.ts';
import { actRefusal, may, type Action } from '../organisations/organisations.ts';
import { page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { proofIsFresh, readPerson, type PersonInFull } from './admin.ts';
import { actorOf, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import * as helpPages from './help-pages.ts';

const pathOf = (visit: Visit): string => `/admin/people/${visit.parameters['id']}`;

export function mountHelp(web: Web<Console>, world: World): void {
  mountBypassCodes(web, world);
  mountResets(web, world);
}

/** Why something was not done. */
interface Refused {
  readonly reason: HelpRefusal | 'too-many' | 'asked-oneself';
  readonly retryAt?: number;
}

/** A way of helping that asks for grounds first: its page, and what the form does. */
interface Way {
  readonly path: string;
  readonly action: Action;
  readonly render: typeof helpPages.issueBypassCode;
  /** "You can issue another …" */
  readonly tooMany: string;
  readonly act: (visit: Visit, context: Console, about: { person: PersonInFull; grounds: Grounds }) => Promise<Answer | Refused>;
}

function mountWay(web: Web<Console>, world: World, way: Way): void {
  const address = `/admin/people/:id/${way.path}`;
  const form = (visit: Visit) => `${pathOf(visit)}/${way.path}`;
  web.get(address, async (visit, context) => {
    if (!may(context.role, way.action)) throw noSuchPage();
    const person = await personOf(world, visit, context);
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, form(visit));
    return showForm(world, { visit, context, way, person, typed: NOTHING_TYPED });
  });
  web.post(
    address,
    change(world, { action: way.action, back: form }, async (visit, context) => {
      const person = await personOf(world, visit, context);
      const typed = { reason: visit.field('reason'), check: visit.field('check'), note: visit.field('note') };
      const read = groundsFrom(typed);
      if (!read.ok) return showForm(world, { visit, context, way, person, typed, refused: read.refused, status: 422 });
      const acted = await way.act(visit, context, { person, grounds: read.grounds });
      return 'reason' in acted ? showForm(world, { visit, context, way, person, typed, ...problemOf(world, acted, way.tooMany) }) : acted;
    }),
  );
}

const NOTHING_TYPED: GroundsTyped = { reason: '', check: '', note: '' };

function mountBypassCodes(web: Web<Console>, world: World): void {
  const way: Way = {
    path: 'bypass-code',
    action: 'issue-bypass-code',
    render: helpPages.issueBypassCode,
    tooMany: 'Many bypass codes were issued for this person. You can issue another',
    act: async (visit, context, { person, grounds }) => {
      const issued = await issueBypassCode(world, actorOf(visit, context), { targetId: person.account.id, grounds, present: visit.field('present') });
      return issued.ok ? page(helpPages.bypassCodeIssued(frameOf(world, visit, context), person, issued)) : issued;
    },
  };
  mountWay(web, world, way);
  mountVerb(web, world, {
    way,
    verb: 'revoke',
    notice: 'bypass-code-revoked',
    act: (visit, context, id) => revokeBypassCode(world, actorOf(visit, context), id),
  });
}

function mountResets(web: Web<Console>, world: World): void {
  const way: Way = {
    path: 'reset',
    action: 'reset-methods',
    render: helpPages.askForReset,
    tooMany: 'Several resets were asked for already. You can ask for another',
    act: async (visit, context, { person, grounds }) => {
      const asked = await askForReset(world, actorOf(visit, context), { targetId: person.account.id, grounds });
      return asked.ok ? done(visit, context, 'reset-asked', pathOf(visit)) : asked;
    },
  };
  mountWay(web, world, way);
  const about = (visit: Visit, targetId: string) => ({ targetId, id: visit.field('reset') });
  mountVerb(web, world, {
    way,
    verb: 'approve',
    notice: 'reset-approved',
    act: (visit, context, id) => approveReset(world, actorOf(visit, context), about(visit, id)),
  });
  mountVerb(web, world, {
    way,
    verb: 'stop',
    notice: 'reset-stopped',
    act: (visit, context, id) => stopReset(world, actorOf(visit, context), about(visit, id)),
  });
}

interface Verb {
  readonly way: Way;
  readonly verb: string;
  readonly notice: string;
  readonly act: (visit: Visit, context: Console, targetId: string) => Promise<{ ok: true } | ({ ok: false } & Refused)>;
}

/** A button of the person's page. What stands in its way is said on the way's own page. */
function mountVerb(web: Web<Console>, world: World, { way, verb, notice, act }: Verb): void {
  web.post(
    `/admin/people/:id/${way.path}/${verb}`,
    change(world, { action: way.action, back: pathOf }, async (visit, context) => {
      const person = await personOf(world, visit, context);
      const acted = await act(visit, context, person.account.id);
      if (acted.ok) return done(visit, context, notice, pathOf(visit));
      return showForm(world, { visit, context, way, person, typed: NOTHING_TYPED, ...problemOf(world, acted, way.tooMany) });
    }),
  );
}

async function personOf(world: World, visit: Visit, { organisation }: Console): Promise<PersonInFull> {
  const person = await readPerson(world, organisation, visit.parameters['id']!);
  if (!person) throw noSuchPage();
  return person;
}

interface Shown extends Omit<helpPages.GroundsForm, 'obstacle'> {
  readonly visit: Visit;
  readonly context: Console;
  readonly way: Way;
  readonly person: PersonInFull;
  readonly status?: number;
}

/** What stands in the way for good is said in place of the form. */
async function showForm(world: World, { visit, context, way, person: seen, status = 200, ...shown }: Shown): Promise<Answer> {
  const person = visit.method === 'POST' ? await personOf(world, visit, context) : seen;
  const actor = { accountId: context.session.account.id, role: context.role };
  const target = { accountId: person.account.id, role: person.role };
  const refusal = actRefusal(way.action, { actor, target }) ?? (await helpRefusal(world, world.database.query, actorOf(visit, context), person.account));
  const obstacle = refusal && refusal !== 'not-found' ? helpPages.HELP_REASONS[refusal] : undefined;
  return page(way.render(frameOf(world, visit, context), person, { ...shown, obstacle }), status);
}

function problemOf({ clock }: World, { reason, retryAt = 0 }: Refused, tooMany: string): { problem?: string; status: number } {
  if (reason === 'not-found') throw noSuchPage();
  if (reason === 'changed-meanwhile') return { problem: helpPages.HELP_REASONS[reason], status: 409 };
  if (reason === 'asked-oneself') return { problem: helpPages.HELP_REASONS[reason], status: 403 };
  if (reason !== 'too-many') return { status: reason === 'two-factor-off' ? 422 : 403 };
  return { problem: `${tooMany} ${waitingTime(retryAt - clock.now())} (at ${timeOf(retryAt)}).`, status: 429 };
}
