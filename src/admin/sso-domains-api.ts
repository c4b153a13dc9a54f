// The domains whose addresses lead to an identity provider, for programs. The rest is sso-api.ts.
import { z } from 'zod';
import { operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { addDomain, checkDomain, leadDomain, listDomains, removeDomain, type Domain, type DomainChanged } from '../sso/sso.ts';
import { notTheOwner, OWNER, READING, WRITING } from './sso-api.ts';

const instant = z.iso.datetime();
const domainShape = z
  .object({
    domain: z.string(),
    record: z.object({ name: z.string(), type: z.literal('TXT'), text: z.string() }).describe('The DNS record that shows that the domain is yours'),
    verifiedAt: instant.nullable(),
    connection: z.string().nullable().describe('Where its addresses sign in; null: here, by password'),
  })
  .meta({ id: 'SsoDomain' });

const domainParameter = z.strictObject({ domain: z.string().regex(/^[^/\s]{1,253}$/) });

export const ssoDomainOperations = (world: World): readonly Operation<KeyHolder>[] => [list(world), add(world), check(world), lead(world), remove(world)];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listSsoDomains',
    method: 'GET',
    path: '/sso/domains',
    summary: 'Lists the domains of the organisation’s addresses',
    answer: { status: 200, says: 'All of them', shape: z.object({ domains: z.array(domainShape) }) },
    handle: async (holder: KeyHolder) => ({ domains: (await domainsOf(world, holder)).map(domainAsJson) }),
  });

const add = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'addSsoDomain',
    method: 'POST',
    path: '/sso/domains',
    summary: 'Names a domain',
    description: `The answer has the DNS record by which it is shown to be yours. ${OWNER}`,
    body: z.strictObject({ domain: z.string().max(300) }),
    answer: { status: 201, says: 'The domain', shape: domainShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { body: { domain } }) => domainOnce(world, holder, await addDomain(world, holder.actor, domain)),
  });

const check = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'checkSsoDomain',
    method: 'POST',
    path: '/sso/domains/{domain}/check',
    summary: 'Looks for the DNS record of a domain',
    description: OWNER,
    parameters: domainParameter,
    answer: { status: 200, says: 'It is verified', shape: domainShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { domain } }) => {
      await domainOf(world, holder, domain);
      return domainOnce(world, holder, await checkDomain(world, holder.actor, domain));
    },
  });

const lead = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'leadSsoDomain',
    method: 'PUT',
    path: '/sso/domains/{domain}/connection',
    summary: 'Says where the addresses of a domain sign in',
    description: OWNER,
    parameters: domainParameter,
    body: z.strictObject({ connection: z.string().max(64).nullable().describe('null: here, by password') }),
    answer: { status: 200, says: 'The domain, as it is now', shape: domainShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { domain }, body: { connection } }) => {
      await domainOf(world, holder, domain);
      return domainOnce(world, holder, await leadDomain(world, holder.actor, { domain, connectionId: connection }));
    },
  });

const remove = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'removeSsoDomain',
    method: 'DELETE',
    path: '/sso/domains/{domain}',
    summary: 'Takes a domain away',
    description: `Its addresses sign in by password. ${OWNER}`,
    parameters: domainParameter,
    answer: { status: 204, says: 'It leads nowhere any more' },
    refusals: ['not-allowed'],
    handle: async (holder: KeyHolder, { parameters: { domain } }) => {
      await domainOf(world, holder, domain);
      const removed = await removeDomain(world, holder.actor, domain);
      if (!removed.ok) throw domainProblem(holder, removed);
    },
  });

const domainsOf = ({ database: { query } }: World, { actor: { organisation } }: KeyHolder): Promise<Domain[]> => listDomains(query, organisation.id);

const domainAsJson = ({ domain, recordName, recordText, verifiedAt, connectionId }: Domain): z.input<typeof domainShape> => ({
  domain,
  record: { name: recordName, type: 'TXT', text: recordText },
  verifiedAt: verifiedAt === null ? null : isoOf(verifiedAt),
  connection: connectionId,
});

async function domainOf(world: World, holder: KeyHolder, domain: string): Promise<Domain> {
  const found = (await domainsOf(world, holder)).find((one) => one.domain === domain);
  if (!found) throw noSuchThing();
  return found;
}

/** The domain as it is once that was done. */
async function domainOnce(world: World, holder: KeyHolder, changed: DomainChanged): Promise<z.input<typeof domainShape>> {
  if (!changed.ok) throw domainProblem(holder, changed);
  return domainAsJson(await domainOf(world, holder, changed.domain));
}

function domainProblem(holder: KeyHolder, changed: Exclude<DomainChanged, { ok: true }>): Problem {
  switch (changed.reason) {
    case 'domain':
      return doesNotFit([{ pointer: '#/domain', detail: 'Not a domain such as example.org.' }]);
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return notTheOwner(holder);
    case 'no-answer':
      return new Problem('conflict', `The name server could not be asked. ${changed.detail}`);
    case 'named-already':
    case 'too-many':
    case 'not-verified':
    case 'no-record':
    case 'taken':
      return new Problem('conflict', REFUSED[changed.reason]);
  }
}

const REFUSED = {
  'named-already': 'This domain is in the list already.',
  'too-many': 'The organisation has as many domains as one may have.',
  'not-verified': 'The domain is not in the list, or not verified.',
  'no-record': 'The record is not there, or says something else. New ones can take an hour to be seen.',
  taken: 'Another organisation of this portal has shown that this domain is its own.',
} as const;
