// Why a provider is not believed, as sentences for whoever looks after the connection. Part of oidc.ts.
import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { NetworkFailure } from '../../platform/http/network.ts';
import type { Failure } from '../contract.ts';
import { misconfigured, quoted, refused, unreachable, untrusted } from '../failures.ts';

/** `what`: the sentence of what went wrong. `secrets`: what must not be said, whatever the provider writes into its answer. */
export function failureFrom(error: unknown, what: string, secrets: readonly string[]): Failure {
  const cause = error instanceof ClientError ? error.cause : undefined;
  for (const one of [error, cause]) if (one instanceof NetworkFailure) return unreachable(`${what} ${one.message}`);
  if (error instanceof ResponseBodyError) return answeredError(error, what, secrets);
  if (error instanceof WWWAuthenticateChallengeError) return misconfigured(`${what} The provider refused it with status ${error.status}.`);
  for (const one of [error, cause]) if (one instanceof Response) return answeredStatus(one, what);
  if (error instanceof ClientError) return fromCode(error, what);
  // What JSON.parse and the reading of addresses throw.
  if (error instanceof SyntaxError || error instanceof TypeError) return misconfigured(`${what} What the provider sent can't be read.`);
  throw error;
}

/** What an answer by way of the browser says when it is no (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6). */
export function refusalFrom(code: string, description: string | null | undefined, secrets: readonly string[]): Failure {
  const said = inTheirWords(code, description, secrets);
  if (/^(?:access_denied|login_required|interaction_required|consent_required|account_selection_required)$/.test(code))
    return refused(`The provider did not let them in: ${said}.`);
  if (/^(?:server_error|temporarily_unavailable)$/.test(code)) return unreachable(`The provider has a problem of its own: ${said}.`);
  return misconfigured(`The provider did not accept what it was asked: ${said}. Compare client id, scopes and callback address with what is registered there.`);
}

/** `said`: how it said so. */
export const refusedSecret = (said: string): Failure =>
  misconfigured(`The provider does not accept the client id with its secret: ${said}. Look at both, at whether the secret has expired, and at how it is sent.`);

function answeredError({ error, error_description: description, status }: ResponseBodyError, what: string, secrets: readonly string[]): Failure {
  const said = inTheirWords(error, description, secrets);
  if (status >= 500) return unreachable(`${what} The provider answered ${said}.`);
  switch (error) {
    case 'invalid_client':
      return refusedSecret(said);
    case 'invalid_grant':
      return untrusted(`The provider does not accept the code: ${said}. It was used before, has expired, or was given to somebody else.`);
    default:
      return misconfigured(`${what} The provider answered ${said}.`);
  }
}

function answeredStatus({ status }: Response, what: string): Failure {
  const sentence = `${what} The provider answered with status ${status}.`;
  return status >= 500 || status === 429 ? unreachable(sentence) : misconfigured(sentence);
}

/** The library's codes; see OAUTH_… in oauth4webapi. */
function fromCode({ code = '', cause }: ClientError, what: string): Failure {
  const { claim, claims, attribute, body, header } = ((cause as { cause?: unknown } | undefined)?.cause ?? cause ?? {}) as {
    claim?: string;
    claims?: unknown;
    attribute?: string;
    body?: { issuer?: unknown };
    header?: { alg?: unknown };
  };
  switch (code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return untrusted(`The ID token is not meant for this sign-in: its claim ${quoted(claim ?? '?')} is not what it has to be.`);
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return attribute === 'issuer'
        ? misconfigured(`The provider calls itself ${quoted(String(body?.issuer))}. Enter exactly that as its issuer, if it is who you mean.`)
        : untrusted(`${what} It speaks of somebody else than the ID token does (${attribute ?? '?'}).`);
    case 'OAUTH_HTTP_REQUEST_FORBIDDEN':
    case 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN':
      return misconfigured(`${what} One of the provider's addresses does not start with https://.`);
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
    case 'OAUTH_PARSE_ERROR':
      return misconfigured(`${what} What the provider sent is no JSON.`);
    case 'OAUTH_MISSING_SERVER_METADATA':
    case 'OAUTH_INVALID_SERVER_METADATA':
      return misconfigured(`${what} The provider publishes no address for it.`);
    default:
      if (header) return untrusted(`The ID token is signed by ${quoted(String(header.alg))}, and not by an algorithm with a public key, such as RS256.`);
      if (claims) return untrusted('The ID token lacks a claim that it must have, or one is of the wrong kind.');
      return untrusted(`${what} What the provider sent is not what the protocol allows.`);
  }
}

function inTheirWords(code: string, description: string | null | undefined, secrets: readonly string[]): string {
  const all = description ? `${code}: ${description}` : code;
  // A provider may repeat what it was sent; and whoever reads this need not know it.
  return secrets.some((secret) => secret !== '' && all.includes(secret)) ? 'something that repeats a secret' : quoted(all);
}
