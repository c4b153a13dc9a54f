/**
 * What is wrong with an assertion (SAML 2.0 Profiles, 4.1.4.3) or a sign-out (4.4.4.1) whose signature is good: a sentence for whoever looks after the
 * connection, or undefined. Values and now in, nothing else.
 */
import { minutes, seconds } from '../../platform/durations.ts';
import type { Assertion, Confirmation, LogoutRequest } from './assertion.ts';
import { BEARER } from './names.ts';

/** Clocks of two servers may differ by as much. */
const SKEW = seconds(60);
/** A sign-out comes by way of a browser, which does not wait. */
const LOGOUT_AGE_MOST = minutes(10);
const NAME_CHARACTERS_MOST = 500;

export interface Expected {
  /** Of the provider. */
  readonly entityId: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface ExpectedAssertion extends Expected {
  /** What we are called there, and where assertions are sent to. */
  readonly audience: string;
  readonly recipient: string;
  readonly requestId: string;
  /** They must have shown who they are after this (epoch milliseconds). */
  readonly freshSince: number | undefined;
}

export function faultOfAssertion(assertion: Assertion, expected: ExpectedAssertion): string | undefined {
  const { counts, issuer, version, id, nameId } = assertion;
  if (version !== '2.0' || !isName(id)) return 'The assertion is none of SAML 2.0.';
  if (counts.Issuer !== 1 || issuer !== expected.entityId) return 'The assertion is of another issuer than this connection’s (Issuer).';
  if (counts.Subject !== 1 || counts.NameID > 1 || (nameId && !isName(nameId.value))) return 'The assertion does not say plainly whom it speaks of (Subject).';
  if (counts.Conditions !== 1 || counts.AuthnStatement < 1) return 'The assertion says not once for whom it is, or not that somebody signed in.';
  return faultOfConditions(assertion, expected) ?? faultOfConfirmations(assertion.confirmations, expected) ?? faultOfSignIn(assertion, expected);
}

function faultOfConditions(
  { issuedAt, notBefore, notOnOrAfter, audiences, otherConditions }: Assertion,
  { audience, now }: ExpectedAssertion,
): string | undefined {
  if (otherConditions.length > 0) return 'The assertion makes a condition that is not understood here.';
  if (audiences.length === 0 || !audiences.every((restriction) => restriction.includes(audience)))
    return 'The assertion is meant for another application (Audience).';
  if (!isInstant(issuedAt) || !isInstant(notOnOrAfter) || (notBefore !== undefined && !isInstant(notBefore)))
    return 'The assertion does not say when it was made and until when it serves.';
  if (now >= notOnOrAfter + SKEW) return 'The assertion has expired (NotOnOrAfter). If that happens to everybody, compare the clocks of the two servers.';
  if (Math.max(issuedAt, notBefore ?? issuedAt) > now + SKEW)
    return 'The assertion is not valid yet (NotBefore, IssueInstant). Compare the clocks of the two servers.';
  return undefined;
}

/** One is enough (Core, 2.4.1.1); of several that fail, the last one's fault is said. */
function faultOfConfirmations(confirmations: readonly Confirmation[], expected: ExpectedAssertion): string | undefined {
  let fault: string | undefined = 'The assertion is not confirmed by who bears it (SubjectConfirmation).';
  for (const one of confirmations.filter(({ method }) => method === BEARER)) {
    fault = faultOfConfirmation(one, expected);
    if (fault === undefined) return undefined;
  }
  return fault;
}

function faultOfConfirmation({ recipient, inResponseTo, notBefore, notOnOrAfter }: Confirmation, expected: ExpectedAssertion): string | undefined {
  if (recipient !== expected.recipient) return 'The assertion is meant for another address than this one (Recipient).';
  if (inResponseTo === undefined) return 'The assertion was not asked for: the sign-in has to begin here.';
  if (inResponseTo !== expected.requestId) return 'The assertion was made for another sign-in than this one (InResponseTo).';
  if (!isInstant(notOnOrAfter) || (notBefore !== undefined && !isInstant(notBefore))) return 'The assertion does not say until when it may be shown.';
  if (expected.now >= notOnOrAfter + SKEW) return 'The assertion was to be shown earlier (NotOnOrAfter of its confirmation).';
  return (notBefore ?? 0) > expected.now + SKEW ? 'The assertion may not be shown yet (NotBefore of its confirmation).' : undefined;
}

function faultOfSignIn({ authenticatedAt, sessionEndsAt }: Assertion, { now, freshSince }: ExpectedAssertion): string | undefined {
  if (!isInstant(authenticatedAt) || (sessionEndsAt !== undefined && !isInstant(sessionEndsAt)))
    return 'The assertion does not say when they signed in (AuthnInstant).';
  if (authenticatedAt > now + SKEW) return 'They signed in at a time that has not come yet (AuthnInstant). Compare the clocks of the two servers.';
  // To the moment: a session of ours that is opened by it ends then, too.
  if (sessionEndsAt !== undefined && now >= sessionEndsAt) return 'Their session at the provider has ended (SessionNotOnOrAfter).';
  return freshSince !== undefined && authenticatedAt < freshSince - SKEW
    ? 'The provider was asked to let them sign in anew, and did not (ForceAuthn, AuthnInstant).'
    : undefined;
}

/** `destination`: our address for sign-outs. */
export function faultOfLogoutRequest(request: LogoutRequest, { entityId, destination, now }: Expected & { readonly destination: string }): string | undefined {
  const { id, version, issuer, issuedAt, notOnOrAfter, nameIds } = request;
  if (version !== '2.0' || !isName(id)) return 'The sign-out is none of SAML 2.0.';
  if (issuer !== entityId) return 'The sign-out is of another issuer than this connection’s (Issuer).';
  if (request.destination !== destination) return 'The sign-out is meant for another address than this one (Destination).';
  if (!isInstant(issuedAt) || (notOnOrAfter !== undefined && !isInstant(notOnOrAfter))) return 'The sign-out does not say when it was made.';
  if (now >= logoutEndsAt(request)) return 'The sign-out is too old (NotOnOrAfter, IssueInstant).';
  if (issuedAt > now + SKEW) return 'The sign-out is from the future (IssueInstant). Compare the clocks of the two servers.';
  return nameIds.length !== 1 || !isName(nameIds[0]!.value) ? 'The sign-out does not say plainly whose it is (NameID).' : undefined;
}

/** Until when it could come again and be believed, in epoch milliseconds. */
export const logoutEndsAt = ({ issuedAt, notOnOrAfter }: LogoutRequest): number =>
  Math.min((notOnOrAfter ?? Number.MAX_SAFE_INTEGER) + SKEW, issuedAt! + LOGOUT_AGE_MOST);

const isInstant = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);
const isName = (value: string | undefined): value is string => value !== undefined && value !== '' && value.length <= NAME_CHARACTERS_MOST;
