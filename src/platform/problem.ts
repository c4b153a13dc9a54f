/**
 * A request that can't be served. Thrown; `platform/http` renders it, once, as a page or as RFC 9457 JSON.
 * `message` is shown to people: what happened and what to do. `cause` is for the log alone.
 * What is expected (a wrong code, say) is no problem but a returned refusal; anything else thrown is a bug.
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  /** When a later try may succeed, in epoch milliseconds. */
  readonly retryAt: number | undefined;
  /** What is wrong with what a program sent, one by one. */
  readonly mistakes: readonly Mistake[] | undefined;
  /** For the WWW-Authenticate header (RFC 6750, 3). */
  readonly challenge: string | undefined;
  /** What SCIM calls it (RFC 7644, 3.12). */
  readonly scimType: string | undefined;

  constructor(code: ProblemCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.retryAt = details.retryAt;
    this.mistakes = details.mistakes;
    this.challenge = details.challenge;
    this.scimType = details.scimType;
  }
}

interface Details {
  readonly cause?: unknown;
  readonly retryAt?: number;
  readonly mistakes?: readonly Mistake[];
  readonly challenge?: string;
  readonly scimType?: string;
}

/** One mistake, and where it stands: in the body (a JSON Pointer as a fragment, RFC 6901), or in a parameter of the address. */
export interface Mistake {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

/** What is not there, and what is not to be known to be there, look the same. */
export const noSuchPage = (): Problem => new Problem('not-found', 'There is no page at this address. Check it for a slip, or start at the beginning.');

/** The same for programs. */
export const noSuchThing = (): Problem => new Problem('not-found', 'There is nothing at this address. Check its ids for a slip.');

/** What a program sent was read and does not fit its shape. */
export const doesNotFit = (mistakes: readonly Mistake[], cause?: unknown): Problem =>
  new Problem('invalid', 'What was sent does not fit. Each mistake is named.', { mistakes, cause });

/** The codes are API: add to them, never rename one. `title` heads the page, and is the title of RFC 9457. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'That could not be read' },
  unauthorized: { status: 401, title: 'A valid API key is needed' },
  'form-expired': { status: 403, title: 'Please try that again' },
  'cross-site': { status: 403, title: 'Nothing was done' },
  'not-allowed': { status: 403, title: 'This is not open to you' },
  'missing-scope': { status: 403, title: 'The API key was not made for this' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'That does not work here' },
  conflict: { status: 409, title: 'Somebody was faster' },
  'in-progress': { status: 409, title: 'It is being done' },
  'precondition-failed': { status: 412, title: 'It has changed in the meantime' },
  'too-large': { status: 413, title: 'That was too long' },
  'unsupported-media-type': { status: 415, title: 'That could not be read' },
  invalid: { status: 422, title: 'Something in it does not fit' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key belongs to another request' },
  'precondition-required': { status: 428, title: 'Say which version you have seen' },
  'too-many-requests': { status: 429, title: 'Please wait a moment' },
  internal: { status: 500, title: 'Something went wrong' },
  unavailable: { status: 503, title: 'Not available right now' },
} as const satisfies Readonly<Record<string, { status: number; title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;
