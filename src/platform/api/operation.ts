/**
 * An operation of the API, declared once: method, path, scope, the shapes of what comes in and of what goes out, and what does it. Router and checks
 * (api.ts), the OpenAPI document (openapi.ts) and the page of /api/docs (pages.ts) are all made of that one declaration, so that they can't disagree.
 */
import { z } from 'zod';
import type { ProblemCode } from '../problem.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Refuses by name whatever it does not name itself. */
type Fields = z.ZodObject;
export const noFields = z.strictObject({});
export type NoFields = typeof noFields;

interface About {
  /** Names it in the document: `listPeople`. */
  readonly name: string;
  readonly method: Method;
  /** Below /api/v1: `/people/{id}`. */
  readonly path: string;
  readonly tag: string;
  /** What a key must have been given; undefined where any key will do. */
  readonly scope: string | undefined;
  /** In a few words: "Lists people". */
  readonly summary: string;
  /** What else there is to know, in sentences. */
  readonly description?: string;
  /** Why it may be refused, beside what holds for all. */
  readonly refusals?: readonly ProblemCode[];
  /** Whether it asks for the version that is to be replaced, in the header If-Match, so that nobody overwrites what they have not seen. */
  readonly needsIfMatch?: true;
}

/** What an answer has in it: JSON of a shape, lines of JSON, or nothing. */
type Content = z.ZodType | 'lines' | undefined;

/** What it answers with where nothing went wrong. */
type Success<Shape extends Content> = Shape extends undefined
  ? { readonly status: 204; readonly says: string; readonly shape?: undefined }
  : { readonly status: 200 | 201; readonly says: string; readonly shape: Shape };

type Returned<Shape extends Content> = Shape extends z.ZodType ? z.input<Shape> : Shape extends 'lines' ? AsyncIterable<string> : void;

interface Declared<Context, Parameters extends Fields, Query extends Fields, Body extends Fields, Answer extends Content> extends About {
  readonly parameters?: Parameters;
  readonly query?: Query;
  /** Absent where a request has none. */
  readonly body?: Body;
  readonly answer: Success<Answer>;
  readonly handle: (
    context: Context,
    input: { readonly parameters: z.output<Parameters>; readonly query: z.output<Query>; readonly body: z.output<Body>; readonly ifMatch: string },
  ) => Promise<Returned<Answer>>;
  /** Which version of what it is about the answer has (RFC 9110, 8.8.3). */
  readonly version?: (answer: Returned<Answer>) => string;
}

/** What came in, as it was read; each part is held against its shape before anything is done. */
export interface Input {
  readonly parameters: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** '' where the operation does not ask for it. */
  readonly ifMatch: string;
}

export interface Operation<Context> extends About {
  readonly parameters: Fields;
  readonly query: Fields;
  readonly body: Fields | undefined;
  readonly answer: { readonly status: number; readonly says: string; readonly shape?: Content };
  readonly version?: ((answer: unknown) => string) | undefined;
  /** `input`: what `readInput` made of it. */
  readonly handle: (context: Context, input: Input) => Promise<unknown>;
}

/** Checks that what is done fits the shapes, and forgets which they were. */
export function operation<
  Context,
  Answer extends Content = undefined,
  Parameters extends Fields = NoFields,
  Query extends Fields = NoFields,
  Body extends Fields = NoFields,
>(declared: Declared<Context, Parameters, Query, Body, Answer>): Operation<Context> {
  return {
    ...declared,
    parameters: declared.parameters ?? noFields,
    query: declared.query ?? noFields,
    body: declared.body,
    version: declared.version as ((answer: unknown) => string) | undefined,
    handle: (context, input) => declared.handle(context, input as Parameters_<typeof declared.handle>),
  };
}

type Parameters_<Handle> = Handle extends (context: never, input: infer One) => unknown ? One : never;

/** `:id` as Fastify reads it, for `{id}`. */
export const routeOf = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** RFC 9110, 8.8.3: a strong one. */
export const etagOf = (version: string): string => `"${version}"`;

/** RFC 9110, 13.1.1. A weak one matches nothing here. */
export const isMatch = (ifMatch: string, version: string): boolean => ifMatch.split(',').some((one) => one.trim() === '*' || one.trim() === etagOf(version));
