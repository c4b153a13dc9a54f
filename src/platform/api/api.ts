/**
 * JSON endpoints below /api/v1, each declared once (operation.ts). Here, once for all: who asks, the checks of what came in, and what goes out.
 * Invariants: who asks is looked at before anything of the body is read; no cookie is, so that no page of another site can ask in somebody's name; a field
 * that no shape names is refused by its name; what leaves has passed its shape, which holds back what it does not name. Problems are RFC 9457, rendered in
 * ../http/answer-problem.ts, where all are.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { page, type Web } from '../http/visit.ts';
import { addressOf, splitAddress, userAgentOf } from '../http/read-visit.ts';
import { doesNotFit, noSuchThing, Problem, type Mistake } from '../problem.ts';
import type { World } from '../world.ts';
import { once, type Answer } from './idempotency.ts';
import { openApiDocument, type Described, type OpenApi } from './openapi.ts';
import { docsPage } from './pages.ts';
import { etagOf, noFields, routeOf, type Input, type Operation } from './operation.ts';
import { readStrictJson } from './strict-json.ts';

const API_PATH = '/api/v1';
const BODY_BYTES_MOST = 64 * 1024;
const MISTAKES_MOST = 20;

/** Who asks, as far as the request says. */
export interface Asking {
  /** The header of that name. */
  readonly authorization: string | undefined;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}

/** Says who it is, or throws the Problem that is the answer. */
export type ApiGuard<Context> = (asking: Asking, scope: string | undefined) => Promise<Context>;

export interface Api<Context> {
  readonly guard: ApiGuard<Context>;
  /** Names whoever asks, so that no two callers share a key of a request. */
  readonly callerOf: (context: Context) => string;
  readonly operations: readonly Operation<Context>[];
  readonly scopes: Described['scopes'];
}

export async function mountApi<Context>(
  world: World,
  { fastify, web }: { fastify: FastifyInstance; web: Web<undefined> },
  { guard, callerOf, operations, scopes }: Api<Context>,
): Promise<void> {
  const described = { operations, scopes, path: API_PATH };
  let made: OpenApi | undefined;
  // Made when somebody asks for it: that takes as long as all else that a start does.
  const document = (): OpenApi => (made ??= openApiDocument(world.installation, described));
  web.get('/api/docs', async () => page(docsPage(world.installation, document(), described)));
  await fastify.register(
    async (api) => {
      api.removeAllContentTypeParsers();
      api.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MOST }, readBody);
      for (const operation of operations) mount(world, api, { operation, guard, callerOf });
      api.get('/openapi.json', (_request, reply) => void reply.type('application/json; charset=utf-8').send(JSON.stringify(document())));
    },
    { prefix: API_PATH },
  );
}

function mount<Context>(
  world: World,
  api: FastifyInstance,
  { operation, guard, callerOf }: Pick<Api<Context>, 'guard' | 'callerOf'> & { operation: Operation<Context> },
): void {
  const contexts = new WeakMap<FastifyRequest, Context>();
  api.route({
    method: operation.method,
    url: routeOf(operation.path),
    bodyLimit: BODY_BYTES_MOST,
    onRequest: async (request) => {
      const { authorization } = request.headers;
      const asking = { authorization, address: addressOf(request), userAgent: userAgentOf(request), requestId: request.id };
      contexts.set(request, await guard(asking, operation.scope));
    },
    handler: async (request, reply) => {
      const input = readInput(operation, request);
      const context = contexts.get(request)!;
      if (operation.answer.shape === 'lines') {
        const lines = (await operation.handle(context, input)) as AsyncIterable<string>;
        return reply.type('application/jsonl; charset=utf-8').send(Readable.from(lines));
      }
      const work = async (): Promise<Answer> => answerOf(operation, await operation.handle(context, input));
      if (operation.method === 'GET') return sendUnlessSeen(request, reply, await work());
      const key = request.headers['idempotency-key'];
      const asked = { caller: callerOf(context), key: typeof key === 'string' ? key : undefined, request: [operation.name, JSON.stringify(input)] };
      const { replayed, ...answer } = await once(world, asked, work);
      if (replayed) void reply.header('idempotency-replayed', 'true');
      return send(reply, answer);
    },
  });
}

const answerOf = <Context>({ answer: { status, shape }, version }: Operation<Context>, answer: unknown): Answer => ({
  status,
  body: shape && shape !== 'lines' ? JSON.stringify(shape.parse(answer)) : null,
  ...(version && { etag: etagOf(version(answer)) }),
});

/** RFC 9110, 13.1.2: who has this version gets nothing anew. */
function sendUnlessSeen({ headers }: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const seen = answer.etag !== undefined && headers['if-none-match']?.split(',').some((one) => one.trim().replace(/^W\//, '') === answer.etag);
  return seen ? reply.code(304).header('etag', answer.etag).send() : send(reply, answer);
}

function send(reply: FastifyReply, { status, body, etag }: Answer): FastifyReply {
  void reply.code(status);
  if (etag !== undefined) void reply.header('etag', etag);
  return body === null ? reply.send() : reply.type('application/json; charset=utf-8').send(body);
}

/** Fastify's shape of a parser: called back with what is to be `request.body`. */
function readBody(request: FastifyRequest, bytes: string | Buffer, done: (error: Error | null, body?: unknown) => void): void {
  const charset = /;\s*charset\s*=\s*"?([^";]*)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && charset.trim().toLowerCase() !== 'utf-8')
    return done(new Problem('unsupported-media-type', 'The body has to be application/json in UTF-8.'));
  if (bytes.length === 0) return done(null, undefined);
  const read = readStrictJson(Buffer.from(bytes));
  return read.ok ? done(null, read.value) : done(new Problem('bad-request', read.why));
}

function readInput<Context>(operation: Operation<Context>, request: FastifyRequest): Input {
  const query = readQuery(splitAddress(request.url).query);
  const mistakes: Mistake[] = [];
  const hold = (shape: z.ZodType, value: unknown, place: (path: readonly PropertyKey[]) => Omit<Mistake, 'detail'>): unknown => {
    const held = shape.safeParse(value);
    if (!held.success) mistakes.push(...mistakesOf(held.error, place));
    return held.data;
  };
  // No id of ours looks like that: there is nothing, as where one is made up.
  const parameters = operation.parameters.safeParse(request.params);
  if (!parameters.success) throw noSuchThing();
  const input: Input = {
    ifMatch: operation.needsIfMatch ? (request.headers['if-match'] ?? '') : '',
    parameters: parameters.data,
    query: hold(operation.query, query, ([name]) => ({ parameter: shortened(String(name ?? '')) })),
    body: hold(operation.body ?? noFields, request.body ?? {}, (path) => ({ pointer: pointerOf(path) })),
  };
  if (operation.needsIfMatch && request.headers['if-match'] === undefined)
    throw new Problem('precondition-required', 'Send the ETag of what you have seen as If-Match, so that nobody’s work is overwritten.');
  if (mistakes.length > 0) throw doesNotFit(mistakes.slice(0, MISTAKES_MOST));
  return input;
}

/** Each name once: of two, one reader takes the first and another the last. */
function readQuery(text: string): Record<string, string> {
  const pairs = [...new URLSearchParams(text)];
  const twice = pairs.find(([name], index) => pairs.findIndex(([other]) => other === name) !== index);
  if (twice) throw new Problem('bad-request', 'A parameter of the address was sent twice.');
  if (pairs.some(([, value]) => value.includes('\0'))) throw new Problem('bad-request', 'A parameter of the address has a character that can’t be kept.');
  return Object.fromEntries(pairs);
}

function mistakesOf(error: z.ZodError, place: (path: readonly PropertyKey[]) => Omit<Mistake, 'detail'>): Mistake[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ ...place([...issue.path, key]), detail: 'There is no field of this name.' }));
    return [{ ...place(issue.path), detail: `${issue.message}.` }];
  });
}

/** RFC 6901, as a fragment. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  `#${path.map((part) => `/${shortened(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;

/** What somebody sent is sent back as far as it helps to find it. */
const shortened = (name: string): string => (name.length > 100 ? `${name.slice(0, 100).toWellFormed()}…` : name);
