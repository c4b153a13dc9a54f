/**
 * Whether a form was sent by a page of ours, and by this browser (WE-3). Two checks that fail apart: what the browser says of the request itself, before
 * anything of it is read, and a token that only our pages in this browser have. The sign-in form is checked too: whoever could sign somebody in
 * to another's account would read what they do there.
 */
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem.ts';
import { sameSecret } from '../secrets/keys.ts';
import type { World } from '../world.ts';
import type { Visit } from './visit.ts';

/** Old browsers send neither header; for them the token alone decides. */
export function refuseForeignPost(world: World, request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const foreignOrigin = origin !== undefined && origin !== world.installation.origin && !sameLoopback(world, request, origin);
  if ((site !== undefined && site !== 'same-origin') || foreignOrigin) {
    // Most who see it opened the portal by another of its names, or by its number: they are told the one that works.
    const { origin: own } = world.installation;
    throw new Problem('cross-site', `This form came from another address than ${own}, so nothing was done. Open ${own} and try again.`);
  }
}

/** In development the portal may be opened as localhost or 127.0.0.1, whatever the configured origin says. */
function sameLoopback({ installation }: World, request: FastifyRequest, origin: string): boolean {
  return installation.development && /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin) && origin === `http://${request.headers.host ?? ''}`;
}

export function checkFormToken(visit: Visit): void {
  if (!sameSecret(visit.field('form_token'), visit.formToken)) {
    throw new Problem('form-expired', 'This page was open for too long, or cookies are switched off. Go back, reload the page and try again.');
  }
}
