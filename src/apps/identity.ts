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
/** Tokens that are kept to be told again. */
const SIGNED_MOST = 20_000;

/** Empty, so that what a client made up under these names is overwritten all the same. */
export const NOBODY = { 'Remote-User': '', 'Remote-Email': '', 'Remote-Name': '', 'Remote-Groups': '', 'Remote-Amr': '', 'Remote-Token': '' };
export type IdentityHeaders = Readonly<Record<keyof typeof NOBODY, string>>;

export interface Identities {
  /** `origin`: of the app, as it was asked for. */
  headersOf(
    session: Session,
    app: { readonly organisationId: string; readonly origin: string; /** Beside the role. */ readonly groups: readonly string[] },
  ): IdentityHeaders;
  /** By which tokens are checked (RFC 7517). */
  readonly keySet: { readonly keys: readonly JsonWebKey[] };
}

export function makeIdentities(world: World): Identities {
  const signer = makeSigner(world.keys.hashBytes('app token'));
  const kid = signer.publicKey.slice(-12);
  const head = encoded({ alg: 'EdDSA', typ: 'JWT', kid });
  /** A session that checks remember (lookups.ts) is asked about many times, always at one host. */
  const ofSession = new WeakMap<Session, { readonly origin: string; readonly headers: IdentityHeaders; readonly issuedAt: number }>();
  /** Signing costs as much as all else of a check: who is the same to the app is told so by the same token, until it is a quarter spent. */
  const signed = new Map<string, { readonly token: string; readonly issuedAt: number }>();
  // A clock that was set back is no reason to go on with what is of tomorrow.
  const isRecent = (issuedAt: number): boolean => {
    const age = world.clock.now() - issuedAt;
    return age >= 0 && age < LIFETIME / 4;
  };

  const tokenOf = (claims: object): { readonly token: string; readonly issuedAt: number } => {
    const key = JSON.stringify(claims);
    const known = signed.get(key);
    if (known && isRecent(known.issuedAt)) return known;
    const issuedAt = Math.floor(world.clock.now() / 1000);
    const text = `${head}.${encoded({ ...claims, iat: issuedAt, exp: issuedAt + LIFETIME / 1000 })}`;
    const made = { token: `${text}.${signer.sign(text)}`, issuedAt: issuedAt * 1000 };
    if (signed.size >= SIGNED_MOST) signed.clear();
    signed.set(key, made);
    return made;
  };

  const headersOf: Identities['headersOf'] = (session, { organisationId, origin, groups: others }) => {
    const known = ofSession.get(session);
    if (known?.origin === origin && isRecent(known.issuedAt)) return known.headers;
    const { account } = session;
    const role = session.roles.get(organisationId);
    const groups = role === undefined ? [] : [role, ...others];
    const amr = amrOf(Object.keys(session.proofs));
    const iss = world.installation.origin;
    const { token, issuedAt } = tokenOf({ iss, aud: origin, sub: account.id, email: account.email, name: account.name, groups, amr });
    const headers = {
      'Remote-User': account.id,
      'Remote-Email': plain(account.email),
      'Remote-Name': plain(account.name),
      'Remote-Groups': groups.map(plainInList).join(','),
      'Remote-Amr': amr.join(' '),
      'Remote-Token': token,
    };
    ofSession.set(session, { origin, headers, issuedAt });
    return headers;
  };
  return { headersOf, keySet: { keys: [{ ...signer.publicJwk, kid, use: 'sig', alg: 'EdDSA' }] } };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Percent-encoded where it is not plain ASCII: a header is not the place for anything else. */
const plain = (text: string): string => text.replaceAll(/[^ -~]|%/gu, (character) => encodeURIComponent(character));
/** A comma parts one from the next. */
const plainInList = (text: string): string => plain(text).replaceAll(',', '%2C');
