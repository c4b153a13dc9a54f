// What providers send: answers, by way of the browser, and sign-outs. Each purpose's own page takes it from there, see app.ts.
import type { FastifyInstance } from 'fastify';
import { mountFromElsewhere, type Elsewhere, type ElsewhereAnswer } from '../platform/http/from-elsewhere.ts';
import type { World } from '../platform/world.ts';
import { receive, type TripPurpose } from './round-trips.ts';
import { ownMetadata, receiveSignOut } from './signing-out.ts';

/** `lost`: where somebody lands who is on the way nowhere. */
export interface Destinations {
  readonly arrivals: Readonly<Record<TripPurpose, string>>;
  readonly lost: string;
  readonly signedOut: string;
}

export function mountSso(fastify: FastifyInstance, world: World, destinations: Destinations): void {
  const { installation } = world;
  const mount = (path: string, methods: readonly ('GET' | 'POST')[], handle: (message: Elsewhere) => Promise<ElsewhereAnswer>): void =>
    mountFromElsewhere(fastify, { installation, methods, path: `/sso/:connection/${path}` }, handle);

  mount('callback', ['GET', 'POST'], async ({ parameters, address, ...callback }) => {
    const received = await receive(world, parameters['connection']!, callback, { address });
    return { kind: 'go-on', to: received ? `${destinations.arrivals[received.purpose]}?with=${received.token}` : destinations.lost };
  });
  mount('logout', ['GET', 'POST'], async ({ parameters, url, form, ...from }) => {
    const done = await receiveSignOut(world, parameters['connection']!, { url, form }, from);
    if (!done) return { kind: 'text', status: 404, body: 'There is no such connection, or it takes no sign-outs.\n' };
    // OpenID Connect Back-Channel Logout 1.0, 2.8: 400 where it is not valid.
    if (!done.ok) return { kind: 'text', status: done.reason === 'too-many' ? 429 : 400, body: `${done.detail}\n` };
    if (done.reply !== undefined) return { kind: 'reply', url: done.reply };
    return form === undefined ? { kind: 'go-on', to: destinations.signedOut } : { kind: 'text', status: 200, body: '' };
  });
  mount('signed-out', ['GET', 'POST'], async () => ({ kind: 'go-on', to: destinations.signedOut }));
  mount('metadata', ['GET'], async ({ parameters }) => {
    const body = await ownMetadata(world, parameters['connection']!);
    return body === undefined
      ? { kind: 'text', status: 404, body: 'There is no such connection, or it has no metadata.\n' }
      : { kind: 'text', status: 200, body, type: 'application/samlmetadata+xml; charset=utf-8' };
  });
}
