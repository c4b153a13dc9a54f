// The OpenAPI document (3.1) of the operations, made from the shapes that check what is sent.
import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from '../problem.ts';
import type { Installation } from '../world.ts';
import type { Operation } from './operation.ts';

/** What is described, and where it begins. */
export interface Described {
  readonly operations: readonly Omit<Operation<never>, 'handle'>[];
  /** Each scope, and what it opens, in words. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly path: string;
}

/** As much of OpenAPI 3.1 as ours has. */
export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly securitySchemes: unknown; readonly schemas: Readonly<Record<string, Schema>> };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly { readonly apiKey: readonly string[] }[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
  /** Of the problems that are answered so. */
  readonly 'x-codes'?: readonly ProblemCode[];
}

/** As much of JSON Schema (2020-12) as our shapes make, and pages read. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

type Named = Record<string, Schema>;

export function openApiDocument({ name, origin }: Installation, { operations, scopes, path }: Described): OpenApi {
  const schemas: Named = { Problem: PROBLEM };
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method.toLowerCase()] = describe(operation, schemas);
  const granted = Object.entries(scopes).map(([scope, words]) => `${scope} (${words})`);
  return {
    openapi: '3.1.0',
    info: {
      title: `${name}: administration`,
      version: '1',
      description: 'What administrators do in the console, for programs. A key acts for its organisation alone.',
    },
    servers: [{ url: origin + path }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((tag) => ({ name: tag })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'twl_…', description: `Made in the console, with these scopes: ${granted.join('; ')}.` },
      },
      schemas,
    },
  };
}

function describe(operation: Described['operations'][number], schemas: Named): OpenApiOperation {
  const { name, method, tag, summary, description, scope, parameters, query, body, answer, needsIfMatch } = operation;
  const headers = [...(needsIfMatch ? [IF_MATCH] : []), ...(method === 'GET' ? [] : [IDEMPOTENCY_KEY])];
  const described = [...parametersOf(parameters, 'path', schemas), ...parametersOf(query, 'query', schemas), ...headers];
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: [{ apiKey: scope === undefined ? [] : [scope] }],
    ...(described.length > 0 && { parameters: described }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input', schemas) } } } }),
    responses: {
      [answer.status]: {
        description: answer.says,
        ...(operation.version && { headers: { ETag: ETAG } }),
        ...contentOf(answer.shape, schemas),
      },
      ...problemsOf(operation),
    },
  };
}

function contentOf(shape: Operation<never>['answer']['shape'], schemas: Named): Pick<Response, 'content'> {
  if (shape === undefined) return {};
  if (shape === 'lines') return { content: { 'application/jsonl': { schema: { type: 'string', description: 'A line of JSON each' } } } };
  return { content: { 'application/json': { schema: schemaOf(shape, 'output', schemas) } } };
}

const ETAG = { description: 'The version', schema: { type: 'string' } };

const IF_MATCH: Parameter = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The ETag of the version that was seen. Where another is in force by now, nothing is done',
  schema: { type: 'string' },
};

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Of your own making, another for each request. Sent again with the same, the request is not done again, and answered as it was, for a day',
  schema: { type: 'string', maxLength: 255 },
};

/** Why an operation may be refused: what holds for all, what follows from its shapes, and what it says itself. */
function refusalsOf({ method, parameters, scope, refusals = [], needsIfMatch }: Described['operations'][number]): ProblemCode[] {
  const takes = (shape: z.ZodObject): boolean => Object.keys(shape.shape).length > 0;
  const all: (ProblemCode | false)[] = [
    'bad-request',
    'unauthorized',
    scope !== undefined && 'missing-scope',
    takes(parameters) && 'not-found',
    method !== 'GET' && 'too-large',
    method !== 'GET' && 'unsupported-media-type',
    'invalid',
    method !== 'GET' && 'in-progress',
    method !== 'GET' && 'idempotency-key-reused',
    needsIfMatch === true && 'precondition-failed',
    needsIfMatch === true && 'precondition-required',
    ...refusals,
    'too-many-requests',
  ];
  const codes = new Set(all.filter((code) => code !== false));
  return [...codes].sort((one, other) => PROBLEMS[one].status - PROBLEMS[other].status);
}

function problemsOf(operation: Described['operations'][number]): Record<string, Response> {
  const byStatus = Map.groupBy(refusalsOf(operation), (code) => PROBLEMS[code].status);
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, { description: codes.map((code) => PROBLEMS[code].title).join('; '), content, 'x-codes': codes }]),
  );
}

function parametersOf(shape: z.ZodObject, where: Parameter['in'], schemas: Named): Parameter[] {
  const { properties = {}, required = [] } = schemaOf(shape, 'input', schemas);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

/** A shape that has a name (`.meta({ id })`) goes among the components, and is referred to. */
function schemaOf(shape: z.ZodType, io: 'input' | 'output', schemas: Named): Schema {
  const { $schema: _dialect, $defs = {}, ...schema } = z.toJSONSchema(shape, { io, target: 'draft-2020-12', override: withoutLongPattern });
  Object.assign(schemas, moved($defs));
  return moved(schema) as Schema;
}

/** The patterns of dates say what their formats say, in ten lines. */
function withoutLongPattern({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format === 'date-time' || jsonSchema.format === 'date') delete jsonSchema.pattern;
}

const moved = (schema: unknown): unknown => JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as unknown;

const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });

const PROBLEM: Schema = {
  type: 'object',
  description: 'Why nothing was done (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: text('What kind of problem it is; leads to its description', { format: 'uri' }),
    title: text('The same in a few words'),
    status: { type: 'integer', description: 'That of the answer' },
    detail: text('What happened, and what to do'),
    code: text('Names the kind; never renamed', { enum: Object.keys(PROBLEMS) }),
    requestId: text('Finds the request in the log of the server'),
    errors: {
      type: 'array',
      description: 'Each mistake in what was sent',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          pointer: text('Where in the body (RFC 6901)'),
          parameter: text('Which parameter of the address'),
          detail: text('What is wrong'),
        },
      },
    },
  },
};
