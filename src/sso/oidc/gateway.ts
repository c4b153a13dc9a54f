// The wire to an OpenID provider: what it publishes, its token and userinfo endpoints, its keys. Part of oidc.ts.
import { compactVerify, createLocalJWKSet, errors, type CompactJWSHeaderParameters, type JSONWebKeySet } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  Configuration,
  customFetch,
  discovery,
  fetchUserInfo,
  WWWAuthenticateChallengeError,
  type CustomFetch,
} from 'openid-client';
import { z } from 'zod';
import type { FetchOptions, Network } from '../../platform/http/network.ts';
import type { Failure } from '../contract.ts';
import { isFailure, misconfigured, quoted, untrusted } from '../failures.ts';
import { failureFrom, refusedSecret } from './failures.ts';
import type { OpenIdSettings } from './settings.ts';
import type { Claims } from './who-it-is.ts';

/** What whoever has the public key can't make: neither `none`, nor HMAC under something that both sides know. */
const ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const KEYS_MOST = 100;
const TOKEN_CHARACTERS_MOST = 100_000;

/**
 * What is kept of what a provider publishes. It is read once a sign-in, at its beginning, and goes along with the round trip: whom the browser was sent to
 * is whom the code is shown to. The names are those of OpenID Connect Discovery 1.0, 3.
 */
export const server = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  userinfo_endpoint: z.string().optional(),
  end_session_endpoint: z.string().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).optional(),
});
export type Server = z.infer<typeof server>;

export interface Tokens {
  readonly accessToken: string;
  readonly idToken: string;
}

interface At {
  readonly network: Network;
  readonly settings: OpenIdSettings;
}

export async function discover({ network, settings }: At): Promise<{ readonly ok: true; readonly server: Server } | Failure> {
  const { issuer, clientId } = settings;
  try {
    // oxlint-disable-next-line typescript/no-deprecated -- It is marked so only to stand out. See mayBePlain.
    const execute = mayBePlain(issuer) ? [allowInsecureRequests] : [];
    const found = await discovery(new URL(issuer), clientId, undefined, undefined, { [customFetch]: by(network), execute });
    const read = server.safeParse(Object.fromEntries(Object.entries(found.serverMetadata()).filter(([, value]) => value !== null)));
    if (!read.success) return misconfigured(`What the provider publishes about itself lacks ${quoted(String(read.error.issues[0]?.path[0]))}.`);
    return serverFrom(read.data, issuer);
  } catch (error) {
    return failureFrom(error, 'The settings that the provider publishes could not be read.', []);
  }
}

/** The library compares addresses; names are compared here. */
function serverFrom(read: Server, issuer: string): { readonly ok: true; readonly server: Server } | Failure {
  if (read.issuer !== issuer)
    return misconfigured(`The provider calls itself ${quoted(read.issuer)}. Enter exactly that as its issuer, if it is who you mean.`);
  const algorithms = (read.id_token_signing_alg_values_supported ?? ['RS256']).filter((one) => ALGORITHMS.includes(one));
  if (algorithms.length === 0) return misconfigured('The provider signs by no algorithm with a public key, such as RS256.');
  for (const where of [read.authorization_endpoint, read.end_session_endpoint])
    if (where !== undefined && !isWayFor(where, issuer))
      return misconfigured(`The provider sends browsers to ${quoted(where)}, which does not start with https://.`);
  return { ok: true, server: { ...read, id_token_signing_alg_values_supported: algorithms } };
}

/** `callback`: the whole answer, at the address that was registered. It has been looked at; the library looks again. */
export async function exchange(
  at: At & { readonly server: Server },
  { callback, state, nonce, verifier }: { callback: URL; state: string; nonce: string; verifier: string },
): Promise<({ readonly ok: true } & Tokens) | Failure> {
  const code = callback.searchParams.get('code') ?? '';
  try {
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const { access_token: accessToken, id_token: idToken } = await authorizationCodeGrant(configurationOf(at), callback, checks);
    return idToken === undefined ? untrusted('The provider gave no ID token.') : { ok: true, accessToken, idToken };
  } catch (error) {
    // RFC 6749, 5.2: by this status too, and with nothing but a challenge.
    if (error instanceof WWWAuthenticateChallengeError) return refusedSecret(`status ${error.status}`);
    return failureFrom(error, 'The code could not be exchanged for an ID token.', [at.settings.clientSecret, code, verifier]);
  }
}

/** What else the provider tells of the same person. */
export async function askUserInfo(
  at: At & { readonly server: Server },
  { accessToken, subject }: { accessToken: string; subject: string },
): Promise<{ readonly ok: true; readonly claims: Claims } | Failure> {
  try {
    return { ok: true, claims: { ...(await fetchUserInfo(configurationOf(at), accessToken, subject)) } };
  } catch (error) {
    return failureFrom(error, 'What the provider knows of the person could not be read (userinfo).', [accessToken]);
  }
}

export interface Verified {
  readonly ok: true;
  readonly header: CompactJWSHeaderParameters;
  readonly claims: Claims;
}

/** Whether the provider signed a token. Nothing is said of what stands in it. `called`: for the sentence. */
export async function verifySignature(
  network: Network,
  { server: { jwks_uri: keysAt }, token, called }: { server: Server; token: string; called: string },
): Promise<Verified | Failure> {
  if (token.length > TOKEN_CHARACTERS_MOST) return untrusted(`The ${called} is larger than anybody would need.`);
  const first = await verifyOnce(network, keysAt, token, called);
  // The keys are read anew for each token; where they lack the one that it was signed with all the same, one part of the provider is ahead of the other.
  return first === 'unknown-key' ? noUnknownKey(await verifyOnce(network, keysAt, token, called), called) : first;
}

const noUnknownKey = (result: Verified | Failure | 'unknown-key', called: string): Verified | Failure =>
  result === 'unknown-key' ? untrusted(`The ${called} is signed by a key that the provider does not publish.`) : result;

async function verifyOnce(network: Network, keysAt: string, token: string, called: string): Promise<Verified | Failure | 'unknown-key'> {
  const keys = await readKeys(network, keysAt);
  if (isFailure(keys)) return keys;
  try {
    const { protectedHeader, payload } = await compactVerify(token, createLocalJWKSet(keys), { algorithms: [...ALGORITHMS] });
    const claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return untrusted(`The ${called} holds no claims.`);
    return { ok: true, header: protectedHeader, claims: claims as Claims };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
    if (error instanceof errors.JOSEAlgNotAllowed) return untrusted(`The ${called} is not signed by an algorithm with a public key, such as RS256.`);
    if (error instanceof errors.JWKSMultipleMatchingKeys)
      return misconfigured(`The ${called} does not say by which of the provider's keys it is signed (kid).`);
    // Whatever else a key or a token of theirs makes the library throw: it is not verified.
    return untrusted(`The signature of the ${called} is not the provider's.`);
  }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(KEYS_MOST) });

async function readKeys(network: Network, keysAt: string): Promise<JSONWebKeySet | Failure> {
  const what = "The provider's keys could not be read.";
  try {
    const answer = await network.fetch(keysAt, { headers: { accept: 'application/json, application/jwk-set+json' } });
    if (answer.status !== 200) return failureFrom(answer, what, []);
    const read = keySet.safeParse(await answer.json());
    return read.success ? read.data : misconfigured(`${what} What came is no set of keys.`);
  } catch (error) {
    return failureFrom(error, what, []);
  }
}

export function configurationOf({ network, settings, server: known }: At & { readonly server: Server }): Configuration {
  const { clientId, clientSecret, secretBy } = settings;
  const authentication = secretBy === 'basic' ? ClientSecretBasic(clientSecret) : ClientSecretPost(clientSecret);
  // The library would read the machine's clock; is-for-us.ts looks at every instant, with the time that is handed in.
  const metadata = { [clockTolerance]: Number.MAX_SAFE_INTEGER };
  const configuration = new Configuration(withoutUndefined(known), clientId, metadata, authentication);
  configuration[customFetch] = by(network);
  // oxlint-disable-next-line typescript/no-deprecated -- As above.
  if (mayBePlain(known.issuer)) allowInsecureRequests(configuration);
  return configuration;
}

/** The network refuses http to any host that the operator did not name; where that host is who it is all about, its endpoints may be of that kind too. */
const mayBePlain = (issuer: string): boolean => issuer.startsWith('http:');

function isWayFor(where: string, issuer: string): boolean {
  const url = URL.parse(where);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && mayBePlain(issuer) && url.hostname === new URL(issuer).hostname));
}

const by =
  (network: Network): CustomFetch =>
  (url, { method, headers, body, signal }) =>
    network.fetch(url, { method, headers, body: (body ?? null) as NonNullable<FetchOptions['body']> | null, signal: signal ?? null });

function withoutUndefined({
  userinfo_endpoint,
  end_session_endpoint,
  authorization_response_iss_parameter_supported,
  id_token_signing_alg_values_supported,
  ...rest
}: Server) {
  return {
    ...rest,
    ...(userinfo_endpoint === undefined ? {} : { userinfo_endpoint }),
    ...(end_session_endpoint === undefined ? {} : { end_session_endpoint }),
    ...(authorization_response_iss_parameter_supported === undefined ? {} : { authorization_response_iss_parameter_supported }),
    ...(id_token_signing_alg_values_supported === undefined ? {} : { id_token_signing_alg_values_supported }),
  };
}
