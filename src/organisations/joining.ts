// What is needed to know who may make an account, and the answer (who-may-join.ts). The door is organisations.ts.
import type { Queries } from '../platform/database/database.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { findInvitation } from './invitations.ts';
import { findSetUpLink } from './set-up.ts';
import * as store from './store.ts';
import type { JoiningTerms } from './who-may-join.ts';

export { isJoiningOpen, mayJoin, type JoiningTerms } from './who-may-join.ts';

/** `then`: the path that somebody is on the way to, which an invitation has led them to. */
export async function readJoiningTerms(world: World, queries: Queries, then: string): Promise<JoiningTerms> {
  const { signUp: rule } = world.installation;
  if (rule === 'open') return { rule, bidden: undefined, domains: [] };
  return { rule, bidden: await biddenBy(world, queries, then), domains: rule === 'domains' ? await store.selectAllEmailDomains(queries) : [] };
}

/** By the links of web.ts. One that is used up, taken back or too old bids nobody. */
async function biddenBy(world: World, queries: Queries, then: string): Promise<JoiningTerms['bidden']> {
  const [, page, token] = /^\/(invitation|set-up)\?token=([\w-]{43})$/.exec(then) ?? [];
  if (page === undefined || token === undefined) return undefined;
  if (page === 'set-up') {
    const link = await findSetUpLink(world, queries, token);
    return link && (link.email === undefined ? 'anybody' : bidding(link.email));
  }
  const invitation = await findInvitation(world, queries, token);
  return invitation?.ofItsDomains === true ? bidding(invitation.email) : undefined;
}

const bidding = (email: string): JoiningTerms['bidden'] => ({ email, emailKey: parseEmailAddress(email)!.key });
