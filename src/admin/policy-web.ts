// /admin/policy: the policy in force, the form that drafts another, what it would do, and the history. Mounted by web.ts.
import { findAccount } from '../accounts/accounts.ts';
import { record } from '../audit/audit.ts';
import { byWhom, keyNamedBy, may, type Organisation } from '../organisations/organisations.ts';
import type { Queries } from '../platform/database/database.ts';
import { file, page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import { momentOf, waitingTime } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import {
  differencesOf,
  listVersions,
  makeDraft,
  OUTCOMES,
  readPolicyOf,
  restoreVersion,
  saveDraft,
  tellPeople,
  type Draft,
  type Outcome,
} from '../policy/policy.ts';
import { nameApiKeys } from '../sessions/sessions.ts';
import { proofIsFresh } from './admin.ts';
import { actorOf, allowed, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import { csvOf } from './csv.ts';
import { addressIn } from './pages.ts';
import { fieldsOf, readFields, rulesFrom } from './policy-form.ts';
import * as pages from './policy-pages.ts';
import { foreseeAll, listForeseen, previewOf, readDraft } from './policy-preview.ts';

const POLICY = '/admin/policy';
const EDIT = `${POLICY}/edit`;
const PREVIEW = `${POLICY}/preview`;
const PEOPLE_ON_A_PAGE = 50;

export function mountPolicy(web: Web<Console>, world: World): void {
  web.get(POLICY, (visit, context) => showPolicy(world, visit, context));
  mountForm(web, world);
  mountPreview(web, world);
  const action = 'change-policy';
  web.post(
    `${POLICY}/save`,
    change(world, { action, back: (visit) => addressOf(PREVIEW, visit.field('draft')) }, async (visit, context) => {
      const draftId = visit.field('draft');
      const reason = visit.field('reason');
      const saved = await saveDraft(world, actorOf(visit, context), { draftId, reason });
      if (saved.ok) return done(visit, context, 'policy-saved', POLICY);
      if (saved.reason === 'reason') {
        const draft = await draftOf(world, context, draftId);
        return showPreview(world, visit, context, { draft, reason, refused: { sentence: 'Say why in 1 to 500 characters, in one line.', status: 422 } });
      }
      return showRefused(world, visit, context, saved.reason);
    }),
  );
  web.post(
    `${POLICY}/restore`,
    change(world, { action, back: () => POLICY }, async (visit, context) => {
      const restored = await restoreVersion(world, actorOf(visit, context), { version: numberOf(visit.field('version')), seen: numberOf(visit.field('seen')) });
      return restored.ok ? done(visit, context, 'policy-restored', POLICY) : showRefused(world, visit, context, restored.reason);
    }),
  );
  // What was refused is shown at these addresses, and may be fetched again.
  for (const path of [`${POLICY}/save`, `${POLICY}/restore`]) web.get(path, async (_visit, context) => redirect(addressIn(context, POLICY)));
}

/** What no form of ours says is the number of no version. */
const numberOf = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : -1);

/** A page of a draft, to come back to. Only an id of ours may become part of an address. */
const addressOf = (path: string, draftId: string): string => (/^[\w-]{1,64}$/.test(draftId) ? `${path}?draft=${draftId}` : POLICY);

const SENTENCES = {
  'not-allowed': ['Your role here lets you look, and change nothing.', 403],
  'owner-alone': ['Only the owner lets methods be reset sooner, or without a second administrator. Nothing was changed.', 403],
  'not-found': ['That draft was saved already, or is too old. What you see is in force.', 409],
  'changed-meanwhile': ['Somebody else changed the policy in the meantime, so nothing was done. What you see is in force now.', 409],
  reason: ['Say why in 1 to 500 characters, in one line.', 422],
  'told-already': ['They were told already.', 409],
} as const;

function showRefused(world: World, visit: Visit, context: Console, reason: keyof typeof SENTENCES): Promise<Answer> {
  const [sentence, status] = SENTENCES[reason];
  return showPolicy(world, visit, context, { sentence, status });
}

async function showPolicy(world: World, visit: Visit, context: Console, refused?: { sentence: string; status: number }): Promise<Answer> {
  const { query } = world.database;
  const { organisation } = context;
  const policy = await readPolicyOf(query, organisation.id);
  const all = await listVersions(query, organisation.id);
  const versions = await Promise.all(
    all.map(async (one, index) => ({
      ...one,
      by: await nameOfChanger(query, organisation, one.changedBy),
      differences: all[index + 1] ? differencesOf(all[index + 1]!.rules, one.rules) : [],
    })),
  );
  return page(pages.policy(frameOf(world, visit, context), { policy, versions, refused: refused?.sentence }), refused?.status ?? 200);
}

async function nameOfChanger(queries: Queries, organisation: Organisation, changedBy: string | null): Promise<string> {
  if (changedBy === null) return 'the operator';
  const key = keyNamedBy(changedBy);
  return key === undefined ? ((await findAccount(queries, changedBy))?.name ?? 'somebody who is gone') : (await nameApiKeys(queries, organisation))(key);
}

function mountForm(web: Web<Console>, world: World): void {
  web.get(EDIT, async (visit, context) => {
    if (!may(context.role, 'change-policy')) throw noSuchPage();
    const draftId = visit.query.get('draft');
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, draftId === null ? EDIT : addressOf(EDIT, draftId));
    const policy = await readPolicyOf(world.database.query, context.organisation.id);
    const draft = draftId === null ? undefined : await draftOf(world, context, draftId);
    const fields = await fieldsOf(world.database.query, context.organisation, (draft ?? policy).rules, draft?.renews);
    return page(pages.edit(frameOf(world, visit, context), { fields, seen: policy.version }));
  });
  web.post(
    PREVIEW,
    // Nothing changes by it: so nobody loses a long form for having taken longer over it than a proof lasts.
    allowed(world, 'change-policy', async (visit, context) => {
      const fields = readFields((name, bytesMost) => visit.field(name, bytesMost));
      const { organisation } = context;
      const { rules: before } = await readPolicyOf(world.database.query, organisation.id);
      const seen = numberOf(visit.field('seen'));
      const made = await rulesFrom(world.database.query, organisation, { fields, before, now: world.clock.now() });
      if (!made.ok) return page(pages.edit(frameOf(world, visit, context), { fields, seen, mistakes: made.mistakes }), 422);
      const draftId = await makeDraft(world, actorOf(visit, context), { rules: made.rules, basedOn: seen, renews: fields.renews });
      return draftId === undefined ? showRefused(world, visit, context, 'not-allowed') : redirect(addressIn(context, PREVIEW, { draft: draftId }));
    }),
  );
}

async function draftOf(world: World, { organisation }: Console, id: string): Promise<Draft> {
  const draft = await readDraft(world, organisation, id);
  if (!draft) throw noSuchPage();
  return draft;
}

function mountPreview(web: Web<Console>, world: World): void {
  web.get(PREVIEW, async (visit, context) => {
    const id = visit.query.get('draft');
    if (id === null) return redirect(addressIn(context, POLICY));
    return showPreview(world, visit, context, { draft: await draftOf(world, context, id), reason: '' });
  });
  web.get(`${PREVIEW}/people`, async (visit, context) => {
    const draft = await draftOf(world, context, visit.query.get('draft') ?? '');
    const outcome = outcomeFrom(visit.query.get('outcome') ?? '');
    const after = (visit.query.get('after') ?? '').slice(0, 254).replaceAll('\0', '');
    const { people, next } = await listForeseen(world, context.organisation, { draft, outcome, after, most: PEOPLE_ON_A_PAGE });
    return page(pages.previewPeople(frameOf(world, visit, context), { draft, outcome, people, next }));
  });
  web.post(`${PREVIEW}/export`, (visit, context) => exportPeople(world, visit, context));
  web.post(
    `${PREVIEW}/tell`,
    change(world, { action: 'change-policy', back: (visit) => addressOf(PREVIEW, visit.field('draft')) }, async (visit, context) => {
      const draftId = visit.field('draft');
      const told = await tellPeople(world, actorOf(visit, context), draftId);
      if (!told.ok && told.reason === 'too-many') {
        const wait = `${waitingTime(told.retryAt - world.clock.now())} (at ${momentOf(told.retryAt)})`;
        const sentence = `Several policies were told to people lately, and mail that comes too often is read by nobody. You can send it ${wait}.`;
        return showPreview(world, visit, context, { draft: await draftOf(world, context, draftId), reason: '', refused: { sentence, status: 429 } });
      }
      if (!told.ok) return showRefused(world, visit, context, told.reason);
      visit.setCookie('notice', 'policy-announced');
      return redirect(addressIn(context, PREVIEW, { draft: draftId }));
    }),
  );
  for (const path of [`${PREVIEW}/export`, `${PREVIEW}/tell`]) web.get(path, async (_visit, context) => redirect(addressIn(context, POLICY)));
}

function outcomeFrom(text: string): Outcome {
  const outcome = OUTCOMES.find((one) => one === text);
  if (!outcome) throw noSuchPage();
  return outcome;
}

async function showPreview(
  world: World,
  visit: Visit,
  context: Console,
  { draft, reason, refused }: { draft: Draft; reason: string; refused?: { sentence: string; status: number } },
): Promise<Answer> {
  const shown = { draft, ...(await previewOf(world, context.organisation, draft)), reason, refused: refused?.sentence };
  return page(pages.preview(frameOf(world, visit, context), shown), refused?.status ?? 200);
}

async function exportPeople(world: World, visit: Visit, context: Console): Promise<Answer> {
  if (!may(context.role, 'export')) throw noSuchPage();
  const draft = await draftOf(world, context, visit.field('draft'));
  const outcome = outcomeFrom(visit.field('outcome'));
  const rows: string[][] = [['Name', 'Email', 'Today', 'With the new policy', 'Until']];
  for await (const one of foreseeAll(world, context.organisation, draft))
    if (one.after === outcome)
      rows.push([one.name, one.email, pages.outcomeInWords(one.before), pages.outcomeInWords(one.after), one.by === null ? '' : momentOf(one.by)]);
  const actor = actorOf(visit, context);
  await world.database.transaction((transaction) =>
    record(world, transaction, {
      event: 'organisation_people_exported',
      accountId: actor.account.id,
      from: visit,
      details: { organisation: actor.organisation.id, people: String(rows.length - 1), by: byWhom(actor) },
    }),
  );
  return file('policy-preview.csv', 'text/csv; charset=utf-8', csvOf(rows));
}
