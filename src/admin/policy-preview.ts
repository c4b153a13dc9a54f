// What a drafted policy would do in an organisation, for the page and for programs. Decided in policy/preview.ts, by the function that enforces it.
import type { Organisation } from '../organisations/organisations.ts';
import type { World } from '../platform/world.ts';
import {
  differencesOf,
  findDraft,
  foresee,
  measureEffect,
  readPolicyOf,
  type Difference,
  type Draft,
  type Effect,
  type Foreseen,
  type Outcome,
} from '../policy/policy.ts';
import { listConnections } from '../sso/sso.ts';

export interface Previewed {
  readonly effect: Effect;
  readonly differences: readonly Difference[];
  /** Whether another policy is in force by now than the one that it was made from. */
  readonly stale: boolean;
  /** Identity providers whose word for a second factor counts. What they will say is known only when somebody comes, so people are counted by what they have here. */
  readonly trustedProviders: readonly string[];
}

/** Undefined where that draft is not the organisation's, was saved, or is too old. */
export async function readDraft(world: World, organisation: Organisation, id: string): Promise<Draft | undefined> {
  return id.length > 64 ? undefined : findDraft(world, world.database.query, organisation.id, id);
}

export async function previewOf(world: World, organisation: Organisation, draft: Draft): Promise<Previewed> {
  const { query } = world.database;
  const policy = await readPolicyOf(query, organisation.id);
  const effect = await measureEffect(query, { now: world.clock.now(), current: policy.rules, proposed: proposedBy(organisation, draft) });
  const trusted = (await listConnections(world, query, organisation.id)).filter((one) => one.enabledAt !== null && one.secondFactorWords.length > 0);
  return {
    effect,
    differences: differencesOf(policy.rules, draft.rules),
    stale: draft.basedOn !== policy.version,
    trustedProviders: trusted.map(({ name }) => name),
  };
}

/** Everybody of the organisation, by their addresses, from behind `after` on. */
export async function* foreseeAll(world: World, organisation: Organisation, draft: Draft, after = ''): AsyncGenerator<Foreseen> {
  const { rules } = await readPolicyOf(world.database.query, organisation.id);
  yield* foresee(world.database.query, { now: world.clock.now(), current: rules, proposed: proposedBy(organisation, draft) }, after);
}

/** One page of those who meet the same. `after`: the `next` of the page before. */
export async function listForeseen(
  world: World,
  organisation: Organisation,
  { draft, outcome, after, most }: { draft: Draft; outcome: Outcome; after: string; most: number },
): Promise<{ readonly people: readonly Foreseen[]; readonly next: string | undefined }> {
  const people: Foreseen[] = [];
  for await (const one of foreseeAll(world, organisation, draft, after)) {
    if (one.after === outcome) people.push(one);
    if (people.length > most) break;
  }
  return { people: people.slice(0, most), next: people.length > most ? people[most - 1]!.emailKey : undefined };
}

const proposedBy = ({ id: organisationId }: Organisation, { rules, renews }: Draft) => ({ organisationId, rules, renews });
