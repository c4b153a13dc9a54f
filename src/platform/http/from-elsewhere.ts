/**
 * What comes from another site by way of a browser, or from its server: the answer of an identity provider, a sign-out. It bears none of our form tokens
 * and, where it is a form, none of our cookies: so nothing here knows a browser, and whoever reads such a message believes what is signed in it and
 * nothing else. Answers lead on within this site, or say one sentence.
 */
import type { FastifyInstance } from 'fastify';
import type { Installation } from '../world.ts';
import { addressOf, splitAddress, userAgentOf } from './read-visit.ts';

/** Marks a route for the check that a form was ours (same-site.ts), which lets it be. */
declare module 'fastify' {
  interface FastifyContextConfig {
    fromElsewhere?: boolean;
  }
}

export interface Elsewhere {
  /** At our own origin, whatever host was named. */
  readonly url: URL;
  /** Undefined for GET. */
  readonly form: Readonly<Record<string, string>> | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export type ElsewhereAnswer =
  /** A path of ours. */
  | { readonly kind: 'go-on'; readonly to: string }
  /** Back to the provider: an address that the connection's settings name. */
  | { readonly kind: 'reply'; readonly url: string }
  | { readonly kind: 'text'; readonly status: number; readonly body: string; readonly type?: string };

/** Assertions with many attributes. */
const FORM_BYTES_MOST = 512 * 1024;

export function mountFromElsewhere(
  fastify: FastifyInstance,
  { installation, methods, path }: { installation: Pick<Installation, 'origin'>; methods: readonly ('GET' | 'POST')[]; path: string },
  handle: (message: Elsewhere) => Promise<ElsewhereAnswer>,
): void {
  fastify.route({
    method: [...methods],
    url: path,
    bodyLimit: FORM_BYTES_MOST,
    config: { fromElsewhere: true },
    handler: async (request, reply) => {
      const { path: own, query } = splitAddress(request.url);
      const answer = await handle({
        url: new URL(`${installation.origin}${own}${query === '' ? '' : `?${query}`}`),
        form: request.method === 'POST' ? formFrom(request.body) : undefined,
        parameters: request.params as Record<string, string>,
        address: addressOf(request),
        userAgent: userAgentOf(request),
        requestId: request.id,
      });
      switch (answer.kind) {
        case 'go-on':
          if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(answer.to)) throw new TypeError('A redirect to somewhere else.');
          return reply.code(303).header('location', answer.to).send();
        case 'reply':
          return reply.code(303).header('location', answer.url).send();
        case 'text':
          return reply
            .code(answer.status)
            .type(answer.type ?? 'text/plain; charset=utf-8')
            .send(answer.body);
      }
    },
  });
}

/** A field that came twice is none. */
function formFrom(body: unknown): Record<string, string> {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}
