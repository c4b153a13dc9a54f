// What every way of helping has in common: who may, and who is told. The door is lost-phone.ts.
import { findAccount, type Account } from '../accounts/accounts.ts';
import { listFactors, standing } from '../factors/factors.ts';
import {
  listAdministrators,
  listMemberships,
  looksAfterOthers,
  nameOfActor,
  type ActRefusal,
  type Actor,
  type Organisation,
} from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { post } from '../platform/mail/mail.ts';
import type { Asked } from '../platform/mail/message.ts';
import { momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { listLinks } from '../sso/sso.ts';
import { administratorMessage, helpMessage, type AdministratorNotice, type HelpNotice } from './notices.ts';

export type HelpRefusal =
  | ActRefusal
  | 'not-found'
  /** A key of the API asks, by which nobody stands: nobody can be asked afresh who they are. */
  | 'needs-a-person'
  /** The person signs in with the password alone. */
  | 'two-factor-off'
  /** Whoever helps does. */
  | 'own-two-factor-off'
  | 'looks-after-others'
  /** The organisation's own provider says who they are, and they belong to another one. */
  | 'own-provider'
  | 'changed-meanwhile';

/** Why somebody who may help members at all can't help this one, or undefined. */
export async function helpRefusal(world: World, queries: Queries, actor: Actor, { id }: Account): Promise<HelpRefusal | undefined> {
  const { account: helper, key } = actor;
  if (key?.vouched === false) return 'needs-a-person';
  if (standing(await listFactors(world, queries, helper.id)).length === 0) return 'own-two-factor-off';
  if (standing(await listFactors(world, queries, id)).length === 0) return 'two-factor-off';
  if (await looksAfterOthers(queries, actor, id)) return 'looks-after-others';
  return (await hasBothSteps(queries, actor, id)) ? 'own-provider' : undefined;
}

/**
 * Whose provider says that somebody is who they are has the first step in hand. With the second one too they would be that person in whatever other organisation
 * the account opens.
 */
async function hasBothSteps(queries: Queries, { organisation: { id } }: Actor, accountId: string): Promise<boolean> {
  if (!(await listLinks(queries, accountId)).some(({ organisationId }) => organisationId === id)) return false;
  return (await listMemberships(queries, accountId, { suspendedToo: true })).some(({ organisation }) => organisation.id !== id);
}

/** The name of who issued something, for those who look at it. */
export async function nameOf(queries: Queries, accountId: string | null): Promise<string> {
  if (accountId === null) return 'the operator of the server';
  return (await findAccount(queries, accountId))?.name ?? 'somebody whose account is gone';
}

interface Told {
  /** Whom it is about. */
  readonly account: Account;
  /** By whom; undefined where it happens by itself. */
  readonly actor?: Actor;
  readonly organisation?: Organisation;
  /** Epoch milliseconds. */
  readonly until?: number;
  readonly how?: string;
  /** From where it was asked, where a browser of the person's asked it. */
  readonly asked?: Asked;
}

/** Tells the person. `token`: of the link that stops what the mail is about. */
export async function tellPerson(world: World, transaction: Transaction, notice: HelpNotice, { token, ...told }: Told & { token?: string }): Promise<void> {
  const { account } = told;
  const stopUrl = token === undefined ? undefined : `${world.installation.origin}/stop-reset?token=${token}`;
  await post(world, transaction, [
    helpMessage(notice, { to: { name: account.name, address: account.email }, stopUrl, asked: told.asked, ...said(world, told) }),
  ]);
}

const ADMINISTRATORS_TOLD_MOST = 50;

/** Tells everybody who looks after the person, in whatever organisation, but who did it (AD-6). */
export async function tellAdministrators(world: World, transaction: Transaction, notice: AdministratorNotice, told: Told): Promise<void> {
  const { account, actor } = told;
  for (const { organisation } of await listMemberships(transaction, account.id)) {
    const all = await listAdministrators(transaction, organisation.id, ADMINISTRATORS_TOLD_MOST);
    const others = all.filter(({ id }) => id !== account.id && id !== actor?.account.id);
    const page = notice === 'help-asked' ? 'help' : `people/${account.id}`;
    const personUrl = `${world.installation.origin}/admin/${page}?organisation=${organisation.id}`;
    const about = { ...said(world, { ...told, organisation }), person: `${account.name}, ${account.email},`, personUrl };
    await post(
      world,
      transaction,
      others.map(({ name, email }) => administratorMessage(notice, { ...about, to: { name, address: email } })),
    );
  }
}

function said({ installation: { name: installationName, origin } }: World, { actor, organisation = actor?.organisation, until, how = '' }: Told) {
  return {
    installationName,
    origin,
    organisationName: organisation?.name ?? installationName,
    by: actor ? `${nameOfActor(actor)}, ${actor.account.email},` : `The operator of ${installationName},`,
    until: until === undefined ? '' : momentOf(until),
    how,
  };
}
