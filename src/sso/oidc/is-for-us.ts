/**
 * What is wrong with an ID token (OpenID Connect Core 1.0, 3.1.3.7) or a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6) whose signature is
 * good: a sentence for whoever looks after the connection, or undefined. Claims and now in, nothing else.
 */
import { minutes, seconds } from '../../platform/durations.ts';
import type { Claims } from './who-it-is.ts';

/** Clocks of two servers may differ by as much. */
const SKEW = seconds(60);
/** A sign-out is sent at once, and has expired two minutes later by the specification's advice; a provider that sends it again may be late. */
const LOGOUT_AGE_MOST = minutes(60);
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const MESSAGE_ID_CHARACTERS_MOST = 500;

export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** `freshSince`: they must have shown who they are after this (epoch milliseconds). `accessTokenHash`: what `at_hash` has to be, where there is one. */
export function faultOfIdToken(
  claims: Claims,
  expected: Expected & { readonly nonce: string; readonly freshSince: number | undefined; readonly accessTokenHash: string },
): string | undefined {
  const { nonce, freshSince, accessTokenHash } = expected;
  if (typeof claims['sub'] !== 'string' || claims['sub'] === '') return 'The ID token names nobody (sub).';
  if (claims['nonce'] !== nonce) return 'The ID token was made for another sign-in than this one (nonce).';
  if (claims['at_hash'] !== undefined && claims['at_hash'] !== accessTokenHash) return 'The ID token belongs to another access token (at_hash).';
  return faultOfToken(claims, expected, 'ID token') ?? (freshSince === undefined ? undefined : faultOfFreshness(claims, freshSince));
}

/** Whether the provider says when they signed in there. Not every provider does. */
export const saysWhen = (claims: Claims): boolean => isInstant(claims['auth_time']);

/** `typ`: of the token's header. */
export function faultOfLogoutToken(claims: Claims, expected: Expected & { readonly typ: string | undefined }): string | undefined {
  const { events, nonce, sub, sid, jti, iat } = claims as Readonly<Record<'events' | 'nonce' | 'sub' | 'sid' | 'jti' | 'iat', unknown>>;
  // Not every provider says what kind of token it is; one that says so must say that it is this kind.
  if (expected.typ !== undefined && !/^(?:application\/)?(?:logout\+)?jwt$/i.test(expected.typ))
    return 'The token is of another kind than a logout token (typ).';
  const fault = faultOfToken(claims, expected, 'logout token');
  if (fault !== undefined) return fault;
  // An ID token of somebody's must not sign them out.
  if (nonce !== undefined) return 'The logout token has a nonce, which only ID tokens have.';
  if (!isObject(events) || !isObject(events[LOGOUT_EVENT])) return 'The logout token does not say that it is a sign-out (events).';
  if (!isName(sub) && !isName(sid)) return 'The logout token says neither whose sign-out it is nor of which session (sub, sid).';
  if ((sub !== undefined && !isName(sub)) || (sid !== undefined && !isName(sid)))
    return 'What the logout token names people and sessions by is no text (sub, sid).';
  if (!isName(jti) || jti.length > MESSAGE_ID_CHARACTERS_MOST) return 'The logout token has no id of its own (jti).';
  return expected.now >= (iat as number) * 1000 + LOGOUT_AGE_MOST ? 'The logout token is too old (iat).' : undefined;
}

/** Until when a logout token could come again and be believed, in epoch milliseconds. Its claims have been looked at. */
export const logoutTokenEndsAt = ({ exp, iat }: Claims): number => Math.min((exp as number) * 1000 + SKEW, (iat as number) * 1000 + LOGOUT_AGE_MOST);

function faultOfToken(claims: Claims, { issuer, clientId, now }: Expected, called: string): string | undefined {
  const { iss, aud, azp, exp, iat, nbf } = claims as Readonly<Record<'iss' | 'aud' | 'azp' | 'exp' | 'iat' | 'nbf', unknown>>;
  if (iss !== issuer) return `The ${called} is of another issuer than this connection's (iss).`;
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) return `The ${called} is meant for another application (aud).`;
  if (azp === undefined ? audiences.length > 1 : azp !== clientId) return `The ${called} was given to another application (azp).`;
  if (!isInstant(exp) || !isInstant(iat) || (nbf !== undefined && !isInstant(nbf)))
    return `The ${called} does not say when it was made and until when it serves.`;
  if (now >= exp * 1000 + SKEW) return `The ${called} has expired (exp). If that happens to everybody, compare the clocks of the two servers.`;
  if (Math.max(iat, nbf ?? iat) * 1000 > now + SKEW) return `The ${called} is from the future (iat, nbf). Compare the clocks of the two servers.`;
  return undefined;
}

function faultOfFreshness(claims: Claims, since: number): string | undefined {
  if (!saysWhen(claims)) return 'The provider was asked to let them sign in anew, and does not say when they did (auth_time).';
  return (claims['auth_time'] as number) * 1000 < since - SKEW ? 'The provider was asked to let them sign in anew, and did not (auth_time).' : undefined;
}

const isInstant = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0;
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null && !Array.isArray(value);
