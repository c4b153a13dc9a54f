// The Security Policy, for programs: the rules are checked by what checks the form, and put in force by what the pages of the console call.
import { z } from 'zod';
import type { Organisation } from '../organisations/organisations.ts';
import { CURSOR_CHARACTERS_MOST, openCursor, sealCursor } from '../platform/api/cursor.ts';
import { isMatch, operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem, type Mistake } from '../platform/problem.ts';
import { canBeShown } from '../platform/words/showable.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import {
  listVersions,
  makeDraft,
  OUTCOMES,
  readPolicyOf,
  restoreVersion,
  saveDraft,
  tellPeople,
  type Draft,
  type Policy,
  type Rules,
} from '../policy/policy.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { idParameter } from './people-api.ts';
import { rulesFrom, type Mistakes } from './policy-form.ts';
import { listForeseen, previewOf, readDraft } from './policy-preview.ts';
import { fieldsFrom, PEOPLE_MOST, rulesAsJson, rulesSent, rulesShape, type RulesSent } from './policy-rules-api.ts';

const READING = { tag: 'Security Policy', scope: 'policy:read' } as const;
const WRITING = { tag: 'Security Policy', scope: 'policy:write' } as const;
const policyShape = z
  .object({
    version: z.int().describe('0 where the organisation has no policy of its own: then the one of the installation holds'),
    changedAt: z.iso.datetime().nullable(),
    rules: rulesShape,
  })
  .meta({ id: 'Policy' });

export function policyOperations(world: World): readonly Operation<KeyHolder>[] {
  const changing = [replace(world), preview(world), announce(world), save(world), restore(world)];
  return [read(world), versions(world), readPreview(world), listPeople(world), ...changing];
}

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readPolicy',
    method: 'GET',
    path: '/policy',
    summary: 'Shows the policy in force',
    answer: { status: 200, says: 'The policy', shape: policyShape },
    version: tagOf,
    handle: ({ actor: { organisation } }: KeyHolder) => policyAsJson(world, organisation),
  });

/** Where there is no policy of its own, the one of the installation may change, and has versions of its own. */
const tagOf = ({ version, changedAt }: { version: number; changedAt: string | null }): string => (version === 0 ? `0-${changedAt ?? ''}` : String(version));

async function policyAsJson(world: World, organisation: Organisation): Promise<z.input<typeof policyShape>> {
  const { version, changedAt, rules } = await readPolicyOf(world.database.query, organisation.id);
  return { version, changedAt: changeOf(changedAt), rules: await rulesAsJson(world, organisation, rules) };
}

const changeOf = (changedAt: number): string | null => (changedAt === 0 ? null : isoOf(changedAt));

const PLACES: Partial<Record<keyof Mistakes, string>> = { percent: 'rollOut/percent', people: 'rollOut/emails' };

async function checked(world: World, organisation: Organisation, { rules: before }: Policy, sent: { rules: RulesSent; renews: boolean }): Promise<Rules> {
  const fields = fieldsFrom(sent.rules, sent.renews, before);
  const made = await rulesFrom(world.database.query, organisation, { fields, before, now: world.clock.now() });
  if (made.ok) return made.rules;
  const wrong = Object.entries(made.mistakes) as [keyof Mistakes, string][];
  throw doesNotFit(wrong.map(([field, detail]): Mistake => ({ pointer: `#/rules/${PLACES[field] ?? field}`, detail })));
}

const renews = z.boolean().default(false).describe('Whether everybody’s time begins anew');
/** As saveDraft wants it: told before a draft is made. */
const reason = z
  .string()
  .max(1000)
  .refine((text) => text.trim() !== '' && [...text.trim()].length <= 500 && canBeShown(text.trim()), 'Say why in 1 to 500 characters, in one line')
  .describe('Why, for the history: 1 to 500 characters in one line');

const replace = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'replacePolicy',
    method: 'PUT',
    path: '/policy',
    summary: 'Puts another policy in force',
    description: 'All of its rules, in the place of those that were seen. To look first at what they would do, see previewPolicy.',
    body: z.strictObject({ rules: rulesSent, reason, renews }),
    needsIfMatch: true,
    answer: { status: 200, says: 'The policy, as it is now', shape: policyShape },
    version: tagOf,
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { body, ifMatch }) => {
      const { organisation } = actor;
      const policy = await seenPolicy(world, organisation, ifMatch);
      const rules = await checked(world, organisation, policy, body);
      const draftId = await makeDraft(world, actor, { rules, basedOn: policy.version, renews: body.renews });
      if (draftId === undefined) throw refusalOf('not-allowed');
      const saved = await saveDraft(world, actor, { draftId, reason: body.reason });
      if (!saved.ok) throw refusalOf(saved.reason);
      return policyAsJson(world, organisation);
    },
  });

async function seenPolicy(world: World, organisation: Organisation, ifMatch: string): Promise<Policy> {
  const policy = await readPolicyOf(world.database.query, organisation.id);
  if (!isMatch(ifMatch, tagOf({ ...policy, changedAt: changeOf(policy.changedAt) }))) throw refusalOf('changed-meanwhile');
  return policy;
}

function refusalOf(refused: 'not-allowed' | 'owner-alone' | 'not-found' | 'changed-meanwhile' | 'reason' | 'told-already'): Problem {
  switch (refused) {
    case 'not-allowed':
      return new Problem('not-allowed', 'A key of this role looks, and changes nothing.');
    case 'owner-alone':
      return new Problem('not-allowed', 'Only the owner lets methods be reset sooner, or without a second administrator, and does so in the console.');
    case 'not-found':
      return noSuchThing();
    case 'changed-meanwhile':
      return new Problem('precondition-failed', 'Another policy is in force by now, so nothing was done. Read it, and decide anew.');
    case 'reason':
      return doesNotFit([{ pointer: '#/reason', detail: 'Say why in 1 to 500 characters, in one line.' }]);
    case 'told-already':
      return new Problem('conflict', 'They were told already.');
  }
}

const counts = z.object({ 'locked-out': z.int(), 'sets-up': z.int(), 'sets-up-later': z.int(), passes: z.int() });
const previewShape = z
  .object({
    id: z.string(),
    madeAt: z.iso.datetime(),
    basedOn: z.int().describe('The version that it would take the place of'),
    stale: z.boolean().describe('Whether another is in force by now'),
    renews: z.boolean(),
    toldAt: z.iso.datetime().nullable(),
    rules: rulesShape,
    differences: z.array(z.object({ label: z.string(), before: z.string(), value: z.string() })),
    trustedProviders: z
      .array(z.string())
      .describe(
        'Identity providers whose word for a second factor counts: whoever comes by one is asked for nothing each time that it says so, and is counted by what they have',
      ),
    effect: z.object({ people: z.int(), newlyAsked: z.int(), before: counts, after: counts }).describe('How many people meet what'),
  })
  .meta({ id: 'PolicyPreview' });

const preview = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'previewPolicy',
    method: 'POST',
    path: '/policy/previews',
    summary: 'Shows what a policy would do',
    description: 'Computed person by person, by what would enforce it. It is kept for 30 days, to be looked at, told to people, and saved.',
    body: z.strictObject({ rules: rulesSent, renews }),
    answer: { status: 201, says: 'What it would do', shape: previewShape },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { body }) => {
      const { organisation } = actor;
      const policy = await readPolicyOf(world.database.query, organisation.id);
      const rules = await checked(world, organisation, policy, body);
      const id = await makeDraft(world, actor, { rules, basedOn: policy.version, renews: body.renews });
      if (id === undefined) throw refusalOf('not-allowed');
      return previewAsJson(world, organisation, await draftOf(world, organisation, id));
    },
  });

async function draftOf(world: World, organisation: Organisation, id: string): Promise<Draft> {
  const draft = await readDraft(world, organisation, id);
  if (!draft) throw noSuchThing();
  return draft;
}

async function previewAsJson(world: World, organisation: Organisation, draft: Draft): Promise<z.input<typeof previewShape>> {
  const { effect, differences, stale, trustedProviders } = await previewOf(world, organisation, draft);
  const { id, basedOn, madeAt, toldAt } = draft;
  return {
    id,
    madeAt: isoOf(madeAt),
    basedOn,
    stale,
    renews: draft.renews,
    toldAt: toldAt === null ? null : isoOf(toldAt),
    rules: await rulesAsJson(world, organisation, draft.rules),
    differences: differences.map(({ label, before, value }) => ({ label, before, value })),
    trustedProviders: [...trustedProviders],
    effect,
  };
}

const readPreview = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readPreview',
    method: 'GET',
    path: '/policy/previews/{id}',
    summary: 'Shows a preview again',
    description: 'As it would be now.',
    parameters: idParameter,
    answer: { status: 200, says: 'What it would do', shape: previewShape },
    handle: async ({ actor: { organisation } }: KeyHolder, { parameters: { id } }) =>
      previewAsJson(world, organisation, await draftOf(world, organisation, id)),
  });

const outcome = z.enum(OUTCOMES);

const listPeople = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listPreviewPeople',
    method: 'GET',
    path: '/policy/previews/{id}/people',
    summary: 'Lists whom a policy would meet how',
    parameters: idParameter,
    query: z.strictObject({
      outcome,
      limit: z.coerce.number().int().min(1).max(PEOPLE_MOST).default(50),
      cursor: z.string().min(1).max(CURSOR_CHARACTERS_MOST).optional().describe('The “next” of the page before'),
    }),
    answer: {
      status: 200,
      says: 'One page of people',
      shape: z.object({
        people: z.array(z.object({ id: z.string(), name: z.string(), email: z.string(), before: outcome, after: outcome, by: z.iso.datetime().nullable() })),
        next: z.string().nullable(),
      }),
    },
    handle: async ({ actor: { organisation } }: KeyHolder, { parameters: { id }, query }) => {
      const draft = await draftOf(world, organisation, id);
      const pages = { organisation: organisation.id, what: ['preview', id, query.outcome] };
      const after = openCursor(world, pages, query.cursor);
      const { people, next } = await listForeseen(world, organisation, { draft, outcome: query.outcome, after, most: query.limit });
      return {
        people: people.map((one) => ({
          id: one.accountId,
          name: one.name,
          email: one.email,
          before: one.before,
          after: one.after,
          by: one.by === null ? null : isoOf(one.by),
        })),
        next: sealCursor(world, pages, next),
      };
    },
  });

const announce = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'announcePreview',
    method: 'POST',
    path: '/policy/previews/{id}/announce',
    summary: 'Tells people by mail what a policy would ask of them',
    description: 'Once: those whom it would ask for something.',
    parameters: idParameter,
    answer: { status: 200, says: 'The mails are on their way', shape: z.object({ people: z.int() }) },
    refusals: ['not-allowed', 'conflict'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const told = await tellPeople(world, actor, id);
      if (!told.ok && told.reason === 'too-many')
        throw new Problem('too-many-requests', 'Several policies were told to people lately. Wait as long as Retry-After says.', { retryAt: told.retryAt });
      if (!told.ok) throw refusalOf(told.reason);
      return { people: told.people };
    },
  });

const save = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'savePreview',
    method: 'POST',
    path: '/policy/previews/{id}/save',
    summary: 'Puts a policy in force that was looked at',
    description: 'In the place of the version that it is based on, and of no other.',
    parameters: idParameter,
    body: z.strictObject({ reason }),
    answer: { status: 200, says: 'The policy, as it is now', shape: policyShape },
    version: tagOf,
    refusals: ['not-allowed', 'precondition-failed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id }, body }) => {
      const saved = await saveDraft(world, actor, { draftId: id, reason: body.reason });
      if (!saved.ok) throw refusalOf(saved.reason);
      return policyAsJson(world, actor.organisation);
    },
  });

const versionShape = z
  .object({
    version: z.int().describe('0: what held before the organisation had a policy of its own'),
    changedAt: z.iso.datetime().nullable(),
    changedBy: z.string().nullable().describe('An account, “key” and the id of an API key, or null: the operator'),
    reason: z.string(),
    rules: rulesShape,
  })
  .meta({ id: 'PolicyVersion' });

const versions = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listPolicyVersions',
    method: 'GET',
    path: '/policy/versions',
    summary: 'Lists the versions that there were',
    description: 'The newest first, at most fifty.',
    answer: { status: 200, says: 'The versions', shape: z.object({ versions: z.array(versionShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => {
      const all = await listVersions(world.database.query, organisation.id);
      const shown = all.map(async ({ rules, changedAt, ...rest }) => ({
        ...rest,
        changedAt: changeOf(changedAt),
        rules: await rulesAsJson(world, organisation, rules),
      }));
      return { versions: await Promise.all(shown) };
    },
  });

const restore = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'restorePolicyVersion',
    method: 'POST',
    path: '/policy/versions/{version}/restore',
    summary: 'Puts an earlier version in force again',
    description: 'As a new version.',
    parameters: z.strictObject({ version: z.string().regex(/^(?:0|[1-9]\d{0,8})$/) }),
    needsIfMatch: true,
    answer: { status: 200, says: 'The policy, as it is now', shape: policyShape },
    version: tagOf,
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters, ifMatch }) => {
      const { version: seen } = await seenPolicy(world, actor.organisation, ifMatch);
      const restored = await restoreVersion(world, actor, { version: Number(parameters.version), seen });
      if (!restored.ok) throw refusalOf(restored.reason);
      return policyAsJson(world, actor.organisation);
    },
  });
