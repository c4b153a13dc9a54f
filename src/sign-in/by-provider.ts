// Getting in by the word of an organisation's identity provider, in place of a password of ours. The second factor follows as ever. The door is sign-in.ts.
import { countTry, forgiveTry } from '../accounts/accounts.ts';
import { record } from '../audit/audit.ts';
import { PROVIDER_SECOND_FACTOR } from '../factors/factors.ts';
import { findSuspending } from '../organisations/organisations.ts';
import type { Transaction } from '../platform/database/database.ts';
import { networkOf, PROVIDER_TRIPS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import {
  arrive,
  checkPasswordAt,
  findConnectionFor,
  findLinked,
  leave,
  recognise,
  redirecting,
  type Arrived,
  type ByProvider,
  type Connection,
  type Failure,
  type Identity,
} from '../sso/sso.ts';
import { enter, type Caller, type Entered, type PasswordAnswer } from './sign-in.ts';

/** Where an address signs in, by its domain alone. `unlessRequired`: a password was typed, and serves where nobody must come by the provider. */
export async function whereToSignIn(
  world: World,
  email: string,
): Promise<{ readonly way: 'here' } | { readonly way: 'provider' | 'directory'; readonly connection: Connection }> {
  const address = parseEmailAddress(email);
  const connection = address && (await findConnectionFor(world, world.database.query, address.key));
  if (!connection) return { way: 'here' };
  return { way: redirecting(connection) ? 'provider' : 'directory', connection };
}

export async function leaveForProvider(
  world: World,
  { connection, email, returnTo, caller }: { connection: Connection; email: string; returnTo: string | null; caller: Caller },
): Promise<Awaited<ReturnType<typeof leave>> | { readonly ok: false; readonly reason: 'too-many' }> {
  const spent = await world.database.transaction((transaction) => spend(transaction, world, PROVIDER_TRIPS, networkOf(caller.address)));
  if (!spent.allowed) return { ok: false, reason: 'too-many' };
  const carried = { returnTo, accountId: null, freshFor: null };
  return leave(world, { connection, purpose: 'sign-in', browserToken: caller.browserToken, carried, fresh: false, email: email === '' ? undefined : email });
}

export type ArrivedAnswer =
  | { readonly ok: true; readonly entered: Entered; readonly returnTo: string | null }
  /** Nobody is on the way in this browser: the link is old, or somebody else's. */
  | { readonly ok: false; readonly reason: 'lost' }
  | { readonly ok: false; readonly reason: 'suspended'; readonly by: string }
  /** The password is right, and the directory wants another one first. */
  | { readonly ok: false; readonly reason: 'change-first'; readonly connection: Connection }
  | {
      readonly ok: false;
      readonly reason: 'prove-first' | 'may-not-join';
      readonly connection: Connection;
      readonly identity: Identity;
      readonly returnTo: string | null;
    }
  | { readonly ok: false; readonly reason: 'turned-off' | Failure['reason']; readonly connection: Connection };

export async function answerArrival(
  world: World,
  { token, deviceToken, caller }: { token: string; deviceToken: string | undefined; caller: Caller },
): Promise<ArrivedAnswer> {
  const arrived = await arrive(world, { token, purpose: 'sign-in', browserToken: caller.browserToken });
  if (!arrived) return { ok: false, reason: 'lost' };
  const { connection, outcome, carried } = arrived;
  if (!outcome.ok || connection.enabledAt === null) return refuseArrival(world, arrived, caller);
  return world.database.transaction((transaction) =>
    enterAs(world, transaction, { connection, identity: outcome.identity, proof: 'sso', returnTo: carried.returnTo, deviceToken, caller }),
  );
}

/** Whoever looks after the connection finds what went wrong in the log; the person is told what to do. */
async function refuseArrival(world: World, { connection, outcome }: Arrived, caller: Caller): Promise<ArrivedAnswer> {
  const reason = outcome.ok ? 'turned-off' : outcome.reason;
  if (!outcome.ok) world.log.warn('sso_failed', { connection: connection.id, reason, detail: outcome.detail });
  await world.database.transaction((transaction) =>
    record(world, transaction, { event: 'authn_login_fail', accountId: null, from: caller, details: { reason: `single sign-on: ${reason}` } }),
  );
  return { ok: false, reason, connection };
}

/** A password that the organisation's directory is asked about, counted like any other before anybody looks. */
export async function answerDirectoryPassword(
  world: World,
  {
    connection,
    email,
    password,
    returnTo,
    deviceToken,
    caller,
  }: { connection: Connection; email: string; password: string; returnTo: string | null; deviceToken: string | undefined; caller: Caller },
): Promise<PasswordAnswer | Exclude<ArrivedAnswer, { ok: true }>> {
  const counted = await countTry(world, { email, browserToken: caller.browserToken, address: caller.address });
  if (!counted.ok) {
    const details = { reason: counted.reason };
    await world.database.transaction((transaction) =>
      record(world, transaction, { event: 'authn_login_throttled', accountId: counted.accountId, from: caller, details }),
    );
    return counted;
  }
  const checked = await checkPasswordAt(world, connection, { email, password });
  if (!checked.ok) {
    if (checked.reason !== 'wrong' && checked.reason !== 'change-first')
      return refuseArrival(world, { connection, outcome: checked, carried: { returnTo, accountId: null, freshFor: null }, fresh: false }, caller);
    // Locked, disabled: to the person a wrong password, to whoever looks after the directory what it says. Also a right one that has to be changed stays counted: each try
    // may use up one of a few that the directory lets pass.
    if (checked.detail !== undefined) world.log.info('directory_refused', { connection: connection.id, detail: checked.detail });
    await world.database.transaction((transaction) =>
      record(world, transaction, { event: 'authn_login_fail', accountId: counted.accountId, from: caller, details: { reason: checked.reason } }),
    );
    return checked.reason === 'wrong' ? { ok: false, reason: 'wrong' } : { ok: false, reason: 'change-first', connection };
  }
  // Whoever looks after the directory makes any answer of it right. It says nothing of guesses at the password of somebody who does not come by it.
  const own = (await findLinked(world.database.query, connection.id, checked.identity.subject)) === counted.accountId;
  await forgiveTry(world, counted, { own });
  return world.database.transaction((transaction) =>
    enterAs(world, transaction, { connection, identity: checked.identity, proof: 'password', returnTo, deviceToken, caller }),
  );
}

async function enterAs(
  world: World,
  transaction: Transaction,
  {
    connection,
    identity,
    proof,
    returnTo,
    deviceToken,
    caller,
  }: { connection: Connection; identity: Identity; proof: 'sso' | 'password'; returnTo: string | null; deviceToken: string | undefined; caller: Caller },
): Promise<ArrivedAnswer> {
  const recognised = await recognise(world, transaction, { connection, identity, from: caller });
  if (!recognised.ok) {
    await record(world, transaction, { event: 'authn_login_fail', accountId: null, from: caller, details: { reason: `single sign-on: ${recognised.reason}` } });
    return { ok: false, reason: recognised.reason, connection, identity, returnTo };
  }
  const { account } = recognised;
  const by = await findSuspending(transaction, account.id);
  if (by !== undefined) {
    await record(world, transaction, { event: 'authn_login_fail', accountId: account.id, from: caller, details: { reason: 'suspended' } });
    return { ok: false, reason: 'suspended', by };
  }
  const state = {
    proofs: proofsFrom(world, { proof, identity, secondFactorCounts: recognised.secondFactorCounts }),
    returnTo,
    provider: byProvider(connection, identity),
  };
  return { ok: true, entered: await enter(world, transaction, { account, caller, state, deviceToken }), returnTo };
}

/** A provider that does not say when somebody signed in there may have let them in days ago: that is no fresh proof of anything. */
function proofsFrom(
  world: World,
  { proof, identity, secondFactorCounts }: { proof: string; identity: Identity; secondFactorCounts: boolean },
): Record<string, number> {
  const now = world.clock.now();
  const at = proof === 'password' ? now : Math.min(now, identity.authenticatedAt ?? 0);
  return { [proof]: at, ...(secondFactorCounts ? { [PROVIDER_SECOND_FACTOR]: at } : {}) };
}

const byProvider = ({ id }: Connection, { subject, providerSession, logoutHint, sessionEndsAt }: Identity): ByProvider => ({
  connectionId: id,
  subject,
  providerSession,
  logoutHint,
  endsAt: sessionEndsAt,
});
