/**
 * OpenID Connect: the authorization code flow with PKCE, by openid-client. Always: S256, a nonce, `state` and `iss` of the answer compared (RFC 9207), the
 * issuer letter by letter, signatures by public keys alone and read anew for each sign-in, so that keys may change at any time. What the provider publishes
 * is read once, as the browser leaves, and goes along with the round trip; nothing is kept in memory. A sign-in costs the provider four requests: that,
 * the code, its keys, and userinfo where the ID token lacks something. A failure says what is wrong and holds no secret.
 */
import { buildAuthorizationUrl, buildEndSessionUrl, calculatePKCECodeChallenge } from 'openid-client';
import { z } from 'zod';
import { tokenHash } from '../../platform/secrets/digest.ts';
import { makeToken } from '../../platform/secrets/tokens.ts';
import type { Failure, Identity, RedirectProtocol, Tools } from '../contract.ts';
import { misconfigured, untrusted } from '../failures.ts';
import { refusalFrom } from './failures.ts';
import { askUserInfo, configurationOf, discover, exchange, server, verifySignature, type Tokens, type Verified } from './gateway.ts';
import { faultOfIdToken, faultOfLogoutToken, logoutTokenEndsAt, saysWhen } from './is-for-us.ts';
import { fields, settings as settingsShape, type OpenIdSettings } from './settings.ts';
import { identityFrom, isUserInfoNeeded, type Claims } from './who-it-is.ts';

const pendingShape = z.object({
  verifier: z.string(),
  nonce: z.string(),
  /** Epoch milliseconds. */
  askedAt: z.number(),
  fresh: z.boolean(),
  server,
});
export type OpenIdPending = z.infer<typeof pendingShape>;

/** What a sign-out needs, so that it waits for no server. */
const hintShape = z.object({ server, idToken: z.string().optional() });

/** The address of a sign-out may be as long as servers read; a token with hundreds of groups is left out. */
const HINT_CHARACTERS_MOST = 4000;

type FinishInput = Parameters<typeof openIdConnect.finish>[1];

export const openIdConnect: RedirectProtocol<OpenIdSettings, OpenIdPending> = {
  way: 'redirect',
  kind: 'oidc',
  words: { name: 'OpenID Connect', explanation: 'Microsoft Entra ID, Okta, Google Workspace, Keycloak and most others.' },
  settings: settingsShape,
  fields,
  saysVerified: true,
  pending: pendingShape,

  async begin(tools, { settings, addresses, state, fresh, email }) {
    const found = await discover({ network: tools.network, settings });
    if (!found.ok) return found;
    const pending = { verifier: makeToken(tools), nonce: makeToken(tools), askedAt: tools.now, fresh, server: found.server };
    const url = buildAuthorizationUrl(configurationOf({ network: tools.network, settings, server: found.server }), {
      redirect_uri: addresses.callback,
      scope: settings.scopes,
      state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      ...(email === undefined ? {} : { login_hint: email }),
    });
    return { ok: true, url: url.href, pending };
  },

  // What is posted to the address was not asked for.
  stateOf: ({ url, form }) => (form === undefined ? only(url.searchParams, 'state') : undefined),

  async finish(tools, input) {
    const answer = readAnswer(input);
    if (!answer.ok) return answer;
    const { settings, pending, state } = input;
    const at = { network: tools.network, settings, server: pending.server };
    const tokens = await exchange(at, { callback: answer.callback, state, nonce: pending.nonce, verifier: pending.verifier });
    if (!tokens.ok) return tokens;
    const verified = await verifySignature(tools.network, { server: pending.server, token: tokens.idToken, called: 'ID token' });
    return verified.ok ? identify(tools, input, tokens, verified) : verified;
  },

  async logoutUrl(tools, { settings, addresses, hint, state }) {
    const kept = hintShape.safeParse(parseJson(hint));
    if (!kept.success || kept.data.server.issuer !== settings.issuer) return undefined;
    return buildEndSessionUrl(configurationOf({ network: tools.network, settings, server: kept.data.server }), {
      post_logout_redirect_uri: addresses.signedOut,
      state,
      ...(kept.data.idToken === undefined ? {} : { id_token_hint: kept.data.idToken }),
    }).href;
  },

  async readLogout(tools, { settings, callback }) {
    const token = callback.form?.['logout_token'];
    if (token === undefined) return untrusted('What came has no logout token.');
    const found = await discover({ network: tools.network, settings });
    if (!found.ok) return found;
    const verified = await verifySignature(tools.network, { server: found.server, token, called: 'logout token' });
    if (!verified.ok) return verified;
    const { claims, header } = verified;
    const fault = faultOfLogoutToken(claims, { issuer: settings.issuer, clientId: settings.clientId, now: tools.now, typ: header.typ });
    if (fault !== undefined) return untrusted(fault);
    const subject = textIn(claims, settings.subjectClaim);
    const providerSession = textIn(claims, 'sid');
    if (subject === undefined && providerSession === undefined)
      return misconfigured(`The logout token names nobody by the claim that people are known by here (${settings.subjectClaim}), and no session (sid).`);
    return {
      ok: true,
      subject,
      providerSessions: providerSession === undefined ? [] : [providerSession],
      messageId: textIn(claims, 'jti')!,
      expiresAt: logoutTokenEndsAt(claims),
      reply: undefined,
    };
  },
};

/** The answer that came by way of the browser, before anything is sent on because of it. */
function readAnswer({ settings, addresses, pending, callback: { url, form }, state }: FinishInput): { readonly ok: true; readonly callback: URL } | Failure {
  const { searchParams } = url;
  if (form !== undefined || only(searchParams, 'state') !== state) return untrusted('The answer belongs to another sign-in than this one (state).');
  // The secret goes to whom the administrator means now, and to nobody they meant before.
  if (pending.server.issuer !== settings.issuer) return untrusted('The settings of the connection were changed meanwhile. Try again.');
  const issuer = only(searchParams, 'iss');
  if (issuer === undefined ? searchParams.has('iss') || pending.server.authorization_response_iss_parameter_supported === true : issuer !== settings.issuer)
    return untrusted('The answer is of another provider than the one that was asked (iss).');
  const error = only(searchParams, 'error');
  if (error !== undefined) return refusalFrom(error, only(searchParams, 'error_description'), [pending.verifier, state]);
  if (only(searchParams, 'code') === undefined) return untrusted('The answer holds no code.');
  // As it is registered, whatever name the request came by.
  const callback = new URL(addresses.callback);
  callback.search = url.search;
  return { ok: true, callback };
}

async function identify(
  tools: Tools,
  { settings, pending }: FinishInput,
  { accessToken, idToken }: Tokens,
  { claims, header }: Verified,
): Promise<{ readonly ok: true; readonly identity: Identity } | Failure> {
  const fault = faultOfIdToken(claims, {
    issuer: pending.server.issuer,
    clientId: settings.clientId,
    now: tools.now,
    nonce: pending.nonce,
    freshSince: pending.fresh ? pending.askedAt : undefined,
    accessTokenHash: tokenHash(header.alg, accessToken),
  });
  if (fault !== undefined) return pending.fresh && !saysWhen(claims) ? misconfigured(fault) : untrusted(fault);
  const asked = isUserInfoNeeded(settings, claims) && pending.server.userinfo_endpoint !== undefined;
  const more = asked
    ? await askUserInfo({ network: tools.network, settings, server: pending.server }, { accessToken, subject: claims['sub'] as string })
    : { ok: true as const, claims: {} };
  if (!more.ok) return more;
  const identity = identityFrom(settings, { token: claims, userInfo: more.claims, logoutHint: hintFor(pending, idToken) });
  return identity ? { ok: true, identity } : misconfigured(`The ID token names nobody by the claim that people are to be known by (${settings.subjectClaim}).`);
}

const hintFor = ({ server: known }: OpenIdPending, idToken: string): string | null =>
  known.end_session_endpoint === undefined ? null : JSON.stringify({ server: known, ...(idToken.length > HINT_CHARACTERS_MOST ? {} : { idToken }) });

/** What is said twice is not said. */
function only(params: URLSearchParams, name: string): string | undefined {
  const [first, ...more] = params.getAll(name);
  return more.length === 0 && first !== '' ? first : undefined;
}

function textIn(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
