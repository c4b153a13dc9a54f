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

  constructor(code: ProblemCode, message: string, details: { cause?: unknown; retryAt?: number } = {}) {
    super(message, { cause: details.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = statusOf[code];
    this.retryAt = details.retryAt;
  }
}

/** What is not there, and what is not to be known to be there, look the same. */
export const noSuchPage = (): Problem => new Problem('not-found', 'There is no page at this address. Check it for a slip, or start at the beginning.');

/** The codes are API: add to them, never rename one. */
const statusOf = {
  'bad-request': 400,
  'form-expired': 403,
  'cross-site': 403,
  'not-allowed': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  conflict: 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ProblemCode = keyof typeof statusOf;
