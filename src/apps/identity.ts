/**
 * Who it is, as the app behind the proxy is told at each request: in plain headers, for apps that trust their proxy, and in one that is signed, for those that check
 * (a JSON Web Token, RFC 7519, by EdDSA, RFC 8037). A token is good for one app, named by its origin, and for a minute.
 */
import { amrOf } from '../factors/factors.ts';
import { seconds } from '../platform/durations.ts';
import { makeSigner, type JsonWebKey } from '../platform/secrets/signing.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';

const LIFETIME = seconds(60);

/** Empty, so that what a client made up under these names is overwritten all the same. */
export const NOBODY = { 'Remote-User': '', 'Remote-Email': '', 'Remote-Name': '', 'Remote-Groups': '', 'Remote-Amr': '', 'Remote-Token': '' };
export type IdentityHeaders = Readonly<Record<keyof typeof NOBODY, string>>;

export interface Identities {
  /** `origin`: of the app, as it was asked for. */
  headersOf(session: Session, app: { readonly organisationId: string; readonly origin: string }): IdentityHeaders;
  /** By which tokens are checked (RFC 7517). */
  readonly keySet: { readonly keys: readonly JsonWebKey[] };
}

export function makeIdentities(world: World): Identities {
  const signer = makeSigner(world.keys.hashBytes('app token'));
  const kid = signer.publicKey.slice(-12);
  const head = encoded({ alg: 'EdDSA', typ: 'JWT', kid });
  /** A session that checks remember (lookups.ts) is asked about many times in its half second, always at one host. */
  const made = new WeakMap<Session, { readonly origin: string; readonly headers: IdentityHeaders }>();

  const headersOf: Identities['headersOf'] = (session, { organisationId, origin }) => {
    const known = made.get(session);
    if (known?.origin === origin) return known.headers;
    const { account } = session;
    const group = session.roles.get(organisationId);
    const amr = amrOf(Object.keys(session.proofs));
    const issuedAt = Math.floor(world.clock.now() / 1000);
    const claims = {
      iss: world.installation.origin,
      aud: origin,
      sub: account.id,
      email: account.email,
      name: account.name,
      groups: group === undefined ? [] : [group],
      amr,
      iat: issuedAt,
      exp: issuedAt + LIFETIME / 1000,
    };
    const text = `${head}.${encoded(claims)}`;
    const headers = {
      'Remote-User': account.id,
      'Remote-Email': plain(account.email),
      'Remote-Name': plain(account.name),
      'Remote-Groups': group ?? '',
      'Remote-Amr': amr.join(' '),
      'Remote-Token': `${text}.${signer.sign(text)}`,
    };
    made.set(session, { origin, headers });
    return headers;
  };
  return { headersOf, keySet: { keys: [{ ...signer.publicJwk, kid, use: 'sig', alg: 'EdDSA' }] } };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Percent-encoded where it is not plain ASCII: a header is not the place for anything else. */
const plain = (text: string): string => text.replaceAll(/[^ -~]|%/gu, (character) => encodeURIComponent(character));
