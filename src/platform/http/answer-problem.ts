// The one place where what went wrong becomes an answer and a line of the log.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, PROBLEMS } from '../problem.ts';
import type { World } from '../world.ts';
import { problemPage } from './problem-page.ts';
import { securityHeaders } from './security-headers.ts';

/** What programs are for, whatever they say that they accept. */
const FOR_PROGRAMS = /^\/(?:api|scim)\/v\d/;
/** Directories read problems in a shape of their own. */
const FOR_SCIM = /^\/scim\/v\d/;

export function answerProblem(world: World, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = error instanceof Problem ? error : problemFrom(error, request);
  logProblem(world, problem, error, request);
  void reply.headers(securityHeaders(world.installation)).code(problem.status);
  // What was on the way (a file, say) is not what goes out now.
  void reply.removeHeader('content-disposition');
  if (problem.retryAt !== undefined) void reply.header('retry-after', Math.max(1, Math.ceil((problem.retryAt - world.clock.now()) / 1000)));
  if (problem.challenge !== undefined) void reply.header('www-authenticate', problem.challenge);
  if (FOR_SCIM.test(request.url)) return reply.type('application/scim+json; charset=utf-8').send(JSON.stringify(asScim(problem)));
  if (prefersJson(request)) return reply.type('application/problem+json').send(JSON.stringify(asJson(world, problem, request)));
  const page = problemPage({ installationName: world.installation.name, problem, requestId: request.id });
  return reply.type('text/html; charset=utf-8').send(page.toString());
}

/** RFC 9457; `code`, `requestId` and `errors` are members of ours. `type` leads to the page that describes it. */
function asJson({ installation: { origin } }: World, { code, status, message: detail, mistakes: errors }: Problem, { id: requestId }: FastifyRequest): unknown {
  return { type: `${origin}/api/docs#problem-${code}`, title: PROBLEMS[code].title, status, detail, code, requestId, ...(errors && { errors }) };
}

/** RFC 7644, 3.12. */
const asScim = ({ status, message: detail, scimType }: Problem): unknown => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: String(status),
  ...(scimType !== undefined && { scimType }),
  detail,
});

function prefersJson({ url, headers: { accept = '' } }: FastifyRequest): boolean {
  if (FOR_PROGRAMS.test(url)) return true;
  return /\bapplication\/(?:problem\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept);
}

/** A bug is logged whole; what a client did wrong by its code, which the operator can look up by the request id on the page. */
function logProblem({ log }: World, problem: Problem, error: unknown, request: FastifyRequest): void {
  if (problem.code === 'internal') log.error('bug', { requestId: request.id, error: whole(error) });
  else if (problem.status >= 500) log.error('problem', { requestId: request.id, code: problem.code, error: whole(problem) });
  else log.info('refused', { requestId: request.id, code: problem.code });
}

/** The stack, and the stacks of what caused it. Never the values that an error carries beside: those of a database name rows. */
export function whole(error: unknown): string {
  if (!(error instanceof Error)) return `Thrown, and no Error: ${typeof error}`;
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined || error.cause === error ? own : `${own}\ncaused by ${whole(error.cause)}`;
}

/** Fastify's own refusals by their status; what is left is a bug. */
function problemFrom(error: unknown, { url }: FastifyRequest): Problem {
  const program = FOR_PROGRAMS.test(url);
  const statusCode = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (statusCode === 413)
    return new Problem('too-large', program ? 'The body is too large.' : 'That was far more than this form needs. Go back, shorten it and try again.', {
      cause: error,
    });
  if (statusCode === 415)
    return new Problem('unsupported-media-type', program ? 'The body has to be application/json.' : 'This address takes forms of its own pages only.', {
      cause: error,
    });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Problem('bad-request', program ? 'The request could not be read.' : 'The request could not be read. Go back and try again.', { cause: error });
  return new Problem('internal', 'Something went wrong on our side. Nothing was changed. Try again in a minute.', { cause: error });
}
