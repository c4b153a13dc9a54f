// /scim/v2: what directories ask, and how they are answered. Who asks is looked at before anything of the body is read, as by the API. The door is scim.ts.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiGuard } from '../platform/api/api.ts';
import { readStrictJson } from '../platform/api/strict-json.ts';
import { addressOf, splitAddress, userAgentOf } from '../platform/http/read-visit.ts';
import { noSuchThing, type Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import * as scim from './scim.ts';

const SCIM_PATH = '/scim/v2';
/** A thousand members of a group, and then some. */
const BODY_BYTES_MOST = 256 * 1024;
const MEDIA_TYPE = 'application/scim+json; charset=utf-8';
const PAGE_USUAL = 100;
const NAMES_MOST = 50;

interface Asked {
  readonly holder: KeyHolder;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly body?: scim.Json;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Mount = (method: Method, path: string, handle: (asked: Asked) => Promise<Answer>) => void;

export async function mountScim(world: World, fastify: FastifyInstance, guard: ApiGuard<KeyHolder>): Promise<void> {
  await fastify.register(
    async (api) => {
      api.removeAllContentTypeParsers();
      api.addContentTypeParser(['application/scim+json', 'application/json'], { parseAs: 'buffer', bodyLimit: BODY_BYTES_MOST }, readBody);
      const mount: Mount = (method, path, handle) => mountOne(api, guard, { method, path, handle });
      const base = `${world.installation.origin}${SCIM_PATH}`;
      mountDiscovery(mount, base);
      mountUsers(mount, world, base);
      mountGroups(mount, world, base);
    },
    { prefix: SCIM_PATH },
  );
}

function mountOne(
  api: FastifyInstance,
  guard: ApiGuard<KeyHolder>,
  { method, path, handle }: { method: Method; path: string; handle: (asked: Asked) => Promise<Answer> },
): void {
  const holders = new WeakMap<FastifyRequest, KeyHolder>();
  api.route({
    method,
    url: path,
    bodyLimit: BODY_BYTES_MOST,
    onRequest: async (request) => {
      const { authorization } = request.headers;
      const asking = { authorization, address: addressOf(request), userAgent: userAgentOf(request), requestId: request.id };
      holders.set(request, await guard(asking, 'scim'));
    },
    handler: async (request, reply) => {
      const { id = '' } = request.params as { id?: string };
      // No id of ours looks like that: there is nothing, as where one is made up.
      if (path.includes(':id') && !/^[\w-]{1,64}$/.test(id) && !id.startsWith('urn:')) throw noSuchThing();
      const query = new URLSearchParams(splitAddress(request.url).query);
      return send(reply, await handle({ holder: holders.get(request)!, id, query, body: request.body }));
    },
  });
}

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  void reply.code(status);
  const { location } = (body?.['meta'] ?? {}) as { location?: string };
  if (status === 201 && location !== undefined) void reply.header('location', location);
  return body === undefined ? reply.send() : reply.type(MEDIA_TYPE).send(JSON.stringify(body));
}

/** Fastify's shape of a parser: called back with what is to be `request.body`. */
function readBody(_request: FastifyRequest, bytes: string | Buffer, done: (error: Error | null, body?: unknown) => void): void {
  if (bytes.length === 0) return done(null, undefined);
  const read = readStrictJson(Buffer.from(bytes));
  return read.ok ? done(null, read.value) : done(scim.scimProblem('bad-request', read.why, 'invalidSyntax'));
}

function mountDiscovery(mount: Mount, base: string): void {
  const listed = (path: string, all: readonly scim.Json[]): void => {
    mount('GET', path, async () => ({ status: 200, body: scim.listOf(all, { total: all.length, start: 1 }) }));
    mount('GET', `${path}/:id`, async ({ id }) => {
      const found = all.find((one) => one['id'] === id);
      if (!found) throw noSuchThing();
      return { status: 200, body: found };
    });
  };
  mount('GET', '/ServiceProviderConfig', async () => ({ status: 200, body: scim.serviceProviderConfig(base) }));
  listed('/ResourceTypes', scim.resourceTypes(base));
  listed('/Schemas', scim.schemas(base));
}

function mountUsers(mount: Mount, world: World, base: string): void {
  const shown = async ({ holder: { actor }, query }: Asked, id: string): Promise<scim.Json> =>
    scim.leaveOut(scim.userResource(base, await scim.readUser(world, actor, id)), leavingOut(query));
  mount('GET', '/Users', async ({ holder: { actor }, query }) => {
    const page = pageOf(query);
    const { users, total } = await comparing(() => scim.listUsers(world, actor, page));
    const resources = users.map((user) => scim.leaveOut(scim.userResource(base, user), leavingOut(query)));
    return { status: 200, body: scim.listOf(resources, { total, start: page.skip + 1 }) };
  });
  mount('POST', '/Users', async (asked) => {
    const id = await scim.createUser(world, asked.holder.actor, scim.readOr(scim.wholeUser(objectOf(asked.body), undefined)));
    return { status: 201, body: await shown(asked, id) };
  });
  mount('GET', '/Users/:id', async (asked) => ({ status: 200, body: await shown(asked, asked.id) }));
  mount('PUT', '/Users/:id', async (asked) => {
    const body = objectOf(asked.body);
    await scim.changeUser(world, asked.holder.actor, asked.id, (before) => scim.readOr(scim.wholeUser(body, before)));
    return { status: 200, body: await shown(asked, asked.id) };
  });
  mount('PATCH', '/Users/:id', async (asked) => {
    const operations = scim.readOr(scim.operationsOf(asked.body));
    await scim.changeUser(world, asked.holder.actor, asked.id, (before) => scim.readOr(scim.patchedUser(before, operations)));
    return { status: 200, body: await shown(asked, asked.id) };
  });
  mount('DELETE', '/Users/:id', async ({ holder: { actor }, id }) => {
    await scim.deleteUser(world, actor, id);
    return { status: 204 };
  });
}

function mountGroups(mount: Mount, world: World, base: string): void {
  const shown = async ({ holder: { actor }, query }: Asked, id: string): Promise<scim.Json> =>
    scim.leaveOut(scim.groupResource(base, await scim.readGroup(world, actor, id)), leavingOut(query));
  mount('GET', '/Groups', async ({ holder: { actor }, query }) => {
    const [page, leaving] = [pageOf(query), leavingOut(query)];
    const withMembers = 'members' in scim.leaveOut({ members: [] }, leaving);
    const { groups, total } = await comparing(() => scim.listGroups(world, actor, page, withMembers));
    const resources = groups.map((group) => scim.leaveOut(scim.groupResource(base, group), leaving));
    return { status: 200, body: scim.listOf(resources, { total, start: page.skip + 1 }) };
  });
  mount('POST', '/Groups', async (asked) => {
    const id = await scim.makeGroup(world, asked.holder.actor, scim.readOr(scim.wholeGroup(objectOf(asked.body))));
    return { status: 201, body: await shown(asked, id) };
  });
  mount('GET', '/Groups/:id', async (asked) => ({ status: 200, body: await shown(asked, asked.id) }));
  mount('PUT', '/Groups/:id', async (asked) => {
    await scim.setGroup(world, asked.holder.actor, asked.id, scim.readOr(scim.wholeGroup(objectOf(asked.body))));
    return { status: 200, body: await shown(asked, asked.id) };
  });
  // Without the group: one of thousands is changed by one at a time.
  mount('PATCH', '/Groups/:id', async ({ holder: { actor }, id, body }) => {
    await scim.setGroup(world, actor, id, scim.readOr(scim.patchedGroup(scim.readOr(scim.operationsOf(body)))));
    return { status: 204 };
  });
  mount('DELETE', '/Groups/:id', async ({ holder: { actor }, id }) => {
    await scim.removeGroup(world, actor, id);
    return { status: 204 };
  });
}

function objectOf(body: unknown): scim.Json {
  if (!scim.isObject(body)) throw scim.scimProblem('bad-request', 'The body is an object.', 'invalidSyntax');
  return body;
}

/** RFC 7644, 3.4.2.4: what is below one is one, and a count below nothing is nothing. */
function pageOf(query: URLSearchParams): { filter: scim.Filter | undefined; skip: number; most: number } {
  const [start, count] = [numberIn(query, 'startIndex', 1), numberIn(query, 'count', PAGE_USUAL)];
  const text = query.get('filter');
  const filter = text === null || text.trim() === '' ? undefined : scim.readFilter(text);
  if (text !== null && text.trim() !== '' && !filter) throw invalidFilter();
  return { filter, skip: Math.max(0, start - 1), most: Math.min(Math.max(0, count), scim.PAGE_MOST) };
}

function numberIn(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  if (!/^-?\d{1,9}$/.test(text)) throw scim.scimProblem('bad-request', `Send ${name} as a whole number.`, 'invalidValue');
  return Number(text);
}

const invalidFilter = (): Problem =>
  scim.scimProblem('bad-request', 'The filter can’t be read, asks for what can’t be compared here, or for too much at once.', 'invalidFilter');

async function comparing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof scim.NotComparable) throw invalidFilter();
    throw error;
  }
}

function leavingOut(query: URLSearchParams): { attributes: readonly string[]; excluded: readonly string[] } {
  const names = (name: string): string[] =>
    (query.get(name) ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .slice(0, NAMES_MOST);
  return { attributes: names('attributes'), excluded: names('excludedAttributes') };
}
