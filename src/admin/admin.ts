/**
 * The console of an organisation: what those who look after it see and do. Who may open it is decided in one place (web.ts, `consoleGuard`), what somebody
 * may do in another (organisations/permissions.ts, asked in the transaction that does it). Nobody sees another organisation's people, by whatever id.
 */
import { changePassword, findAccount, hashNewPassword, hasPassword, lockAccount, type Account } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { listFactors, passingAmong, type EnrolledFactor } from '../factors/factors.ts';
import { findBypassCode, findReset, nameOf, type HelpRequest, type LiveBypassCode, type PendingReset } from '../lost-phone/lost-phone.ts';
import {
  actOnMember,
  byWhom,
  findMember,
  looksAfterOthers,
  removeMember,
  setSuspended,
  type Acted,
  type Actor,
  type Member,
  type Organisation,
  type Role,
} from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { CLAIM_MAILS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { Problem } from '../platform/problem.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { fixDeadlineOf, readDemand } from '../policy/policy.ts';
import { listLinks, unlinkFrom } from '../sso/sso.ts';
import { endSessions, listSessions, type ListedSession, type Session } from '../sessions/sessions.ts';
import { standingKinds } from './people.ts';
import * as store from './store.ts';

export { takeAudit } from './audit-log.ts';
export { startCounting } from './overview.ts';
export { tellOfStuck } from './webhook.ts';
export {
  countPeople,
  exportPeople,
  listPeople,
  STANDINGS,
  takePeople,
  TWO_FACTOR_FILTERS,
  type Filter,
  type PeoplePage,
  type PersonShown,
  type Standing,
} from './people.ts';

const LOOKS_AFTER_OTHERS =
  'This person looks after another organisation, which the same password opens, and you may not act on them there. Ask them to choose a new one.';

/** What is on its way to help somebody back in, and the names of those who decided it; '' where there is none. */
interface Help {
  readonly bypassCode: LiveBypassCode | undefined;
  readonly bypassCodeBy: string;
  readonly reset: PendingReset | undefined;
  readonly askedBy: string;
  readonly resetApprovedBy: string;
}

/** Somebody who asks for help, and what is known of them. */
export interface RequestShown {
  readonly request: HelpRequest;
  readonly person: PersonInFull;
}

export interface SessionShown {
  readonly openedAt: number;
  readonly lastUsedAt: number;
  readonly userAgent: string;
  /** null where it was opened before they joined: that is no business of the organisation's. */
  readonly address: string | null;
}

export interface PersonInFull {
  readonly account: Account;
  readonly role: Role;
  readonly joinedAt: number;
  /** As of PersonShown. */
  readonly kinds: readonly string[];
  readonly methods: readonly { readonly kind: string; readonly name: string; readonly createdAt: number; readonly lastUsedAt: number | null }[];
  /** Identity providers of this organisation that they sign in by. */
  readonly providers: readonly string[];
  readonly hasPassword: boolean;
  /** By when they have to set something up that counts, in epoch milliseconds, by the policies of all whom they belong to; null where they do not. */
  readonly setUpBy: number | null;
  /** Live ones, the newest first. */
  readonly sessions: readonly SessionShown[];
  /** null: may come and go. */
  readonly suspendedAt: number | null;
  readonly lastSignInAt: number | null;
  readonly help: Help;
}

/** Undefined where that account does not belong to the organisation. */
export async function readPerson(world: World, organisation: Organisation, accountId: string): Promise<PersonInFull | undefined> {
  const { query } = world.database;
  const member = await findMember(query, organisation.id, accountId);
  const account = member && (await findAccount(query, accountId));
  if (!account) return undefined;
  const enrolled = await listFactors(world, query, accountId);
  const [signIn] = await store.selectLastSignIns(query, [accountId]);
  const passing = passingAmong(enrolled);
  return {
    account,
    role: member.role,
    joinedAt: member.joinedAt,
    kinds: standingKinds(enrolled.map(({ kind }) => kind)),
    suspendedAt: member.suspendedAt,
    methods: enrolled.filter((one) => !passing.includes(one)).map(({ kind, name, createdAt, lastUsedAt }) => ({ kind, name, createdAt, lastUsedAt })),
    providers: (await listLinks(query, accountId)).filter((one) => one.organisationId === organisation.id).map(({ connectionName }) => connectionName),
    hasPassword: await hasPassword(query, accountId),
    setUpBy: await readSetUpBy(query, account, enrolled),
    sessions: (await listSessions(world, query, accountId)).map((one) => sessionFrom(one, member)),
    lastSignInAt: signIn?.at ?? null,
    help: await readHelp(world, accountId),
  };
}

/** As signing in decides it. */
async function readSetUpBy(queries: Queries, account: Account, enrolled: readonly EnrolledFactor[]): Promise<number | null> {
  const { demand } = await readDemand(queries, account.id);
  const verdict = attempts.verdictOn(account, { enrolled, demand });
  return verdict.kind === 'passes' ? null : verdict.by;
}

const sessionFrom = ({ createdAt, lastSeenAt, userAgent, address }: ListedSession, { joinedAt }: Member): SessionShown => ({
  openedAt: createdAt,
  lastUsedAt: lastSeenAt,
  userAgent,
  address: createdAt < joinedAt ? null : address,
});

async function readHelp(world: World, accountId: string): Promise<Help> {
  const { query } = world.database;
  const [bypassCode, reset] = [await findBypassCode(world, query, accountId), await findReset(query, accountId)];
  return {
    bypassCode,
    bypassCodeBy: bypassCode ? await nameOf(query, bypassCode.issuedBy) : '',
    reset,
    askedBy: reset ? await nameOf(query, reset.askedBy) : '',
    resetApprovedBy: reset && reset.approvedBy !== null ? await nameOf(query, reset.approvedBy) : '',
  };
}

async function endAll(transaction: Transaction, accountId: string): Promise<void> {
  // Attempts first: one that ends in a session at this moment is waited for, and its session is seen.
  await attempts.endOtherAttempts(transaction, accountId);
  await endSessions(transaction, accountId);
}

export const remove = (world: World, actor: Actor, about: { targetId: string; seen: Role }): Promise<Acted> =>
  removeMember(world, actor, about, (transaction) => partFrom(world, transaction, actor, about.targetId));

/** Out of the organisation, and signed out at once: whoever is gone from its own directory. */
export const deprovision = (world: World, actor: Actor, about: { targetId: string; seen: Role }): Promise<Acted> =>
  removeMember(world, actor, about, async (transaction) => {
    await partFrom(world, transaction, actor, about.targetId);
    await endAll(transaction, about.targetId);
  });

/** What the organisation's own providers opened is closed; and by when they had to set something up is kept: whoever comes back has no more time than before. */
async function partFrom(world: World, transaction: Transaction, actor: Actor, accountId: string): Promise<void> {
  await lockAccount(transaction, accountId);
  await attempts.endOtherAttempts(transaction, accountId);
  await unlinkFrom(world, transaction, actor.organisation.id, { accountId, by: byWhom(actor), from: actor.from });
  await fixDeadlineOf(transaction, actor.organisation.id, accountId);
}

/** Keeps somebody out, everywhere and at once; or lets them in again. */
export const suspend = (world: World, actor: Actor, targetId: string): Promise<Acted> =>
  setSuspended(world, actor, { targetId, to: true }, async (transaction) => {
    // Whoever is about to sign in at this moment is waited for, so that no session outlives the suspension and is there again when it ends.
    await lockAccount(transaction, targetId);
    await endAll(transaction, targetId);
  });
export const resume = (world: World, actor: Actor, targetId: string): Promise<Acted> =>
  setSuspended(world, actor, { targetId, to: false }, async () => undefined);

/** The password stops working at once; a new one is chosen by a link to the person's own mailbox, so that no administrator ever knows it (AD-1). */
export async function requireNewPassword(world: World, actor: Actor, targetId: string): Promise<Acted> {
  // One that nobody knows. Hashed outside of the transaction.
  const passwordHash = await hashNewPassword(world, makeToken(world));
  return actOnMember(world, actor, { action: 'require-password', targetId, notice: 'password-required' }, async (transaction) => {
    await lockAccount(transaction, targetId);
    // The account opens what it is elsewhere too, as helpRefusal has it.
    if (await looksAfterOthers(transaction, actor, targetId)) throw new Problem('not-allowed', LOOKS_AFTER_OTHERS);
    await changePassword(world, transaction, targetId, { passwordHash });
    await endAll(transaction, targetId);
    const details = { organisation: actor.organisation.id, by: byWhom(actor) };
    await record(world, transaction, { event: 'authn_password_change', accountId: targetId, from: actor.from, details });
  });
}

/** Asks somebody again to verify their address, by mail to it: until then they can set nothing up that codes and notices go to. */
export function askToVerify(world: World, actor: Actor, targetId: string): Promise<Acted> {
  return actOnMember(world, actor, { action: 'invite', targetId, notice: 'verify-email' }, async (transaction) => {
    const account = await lockAccount(transaction, targetId);
    if (!account || account.emailVerifiedAt !== null) throw new Problem('conflict', 'This person’s address is verified, so there is nothing to ask for.');
    const spent = await spend(transaction, world, CLAIM_MAILS, parseEmailAddress(account.email)!.key);
    if (!spent.allowed)
      throw new Problem('too-many-requests', 'Several mails went to this address already, and it is not proved to be theirs. Try again later.', {
        retryAt: spent.retryAt,
      });
  });
}

/** Signs somebody out everywhere, and gives up what they had begun. */
export function endSessionsOf(world: World, actor: Actor, targetId: string): Promise<Acted> {
  return actOnMember(world, actor, { action: 'end-sessions', targetId, notice: 'sessions-ended' }, async (transaction) => {
    await endAll(transaction, targetId);
    await record(world, transaction, {
      event: 'session_ended',
      accountId: targetId,
      from: actor.from,
      details: { reason: 'all ended by an administrator', organisation: actor.organisation.id, by: byWhom(actor) },
    });
  });
}

/** Whoever changes something about others shows first that it is them (FC-1). */
export async function proofIsFresh(world: World, session: Session): Promise<boolean> {
  const enrolled = await listFactors(world, world.database.query, session.account.id);
  return (
    attempts.missingProofs({ held: attempts.heldOf(enrolled), proofs: session.proofs, now: world.clock.now(), freshFor: session.demand.proofFreshFor })
      .length === 0
  );
}
