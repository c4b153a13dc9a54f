// /set-up and /invitation: what a link leads to. GET shows, POST acts; who is not signed in is led to sign in or to sign up, and back.
import type { Account } from '../accounts/accounts.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import { acceptInvitation, acceptRefusal, claimSetUpLink, findInvitation, findSetUpLink, isForAnother } from './organisations.ts';
import * as pages from './pages.ts';

/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;
const GONE = 410;

/** The context is whoever is signed in. */
export function mountOrganisations(web: Web<Account | undefined>, world: World): void {
  web.get('/set-up', (visit, account) => showSetUp(world, { visit, account, token: visit.query.get('token') ?? '' }));
  web.post('/set-up', async (visit, account) => {
    const token = visit.field('token');
    if (!account) return showSetUp(world, { visit, account, token });
    const claimed = await claimSetUpLink(world, { token, name: visit.field('name'), account, from: visit });
    if (claimed.ok) {
      visit.setCookie('notice', 'organisation-created');
      return redirect('/admin/people');
    }
    if (claimed.reason === 'name')
      return page(pages.setUp(frameOf(world, visit, account, `/set-up?token=${token}`), { token, name: visit.field('name'), refused: true }), 422);
    return showSetUp(world, { visit, account, token });
  });

  web.get('/invitation', (visit, account) => showInvitation(world, { visit, account, token: visit.query.get('token') ?? '' }));
  web.post('/invitation', async (visit, account) => {
    const token = visit.field('token');
    if (!account) return showInvitation(world, { visit, account, token });
    const accepted = await acceptInvitation(world, { token, account, from: visit });
    if (!accepted.ok) return showInvitation(world, { visit, account, token });
    visit.setCookie('notice', 'joined');
    return redirect('/account');
  });
}

interface Shown {
  readonly visit: Visit;
  readonly account: Account | undefined;
  readonly token: string;
}

async function showSetUp(world: World, { visit, account, token }: Shown): Promise<Answer> {
  const link = TOKEN.test(token) ? await findSetUpLink(world, world.database.query, token) : undefined;
  const frame = frameOf(world, visit, account, link ? `/set-up?token=${token}` : '/set-up');
  const title = 'Set up your organisation';
  if (!link) {
    const sentence = 'It was used, is too old, or a newer one was printed on the server. Whoever runs it has the newest, or can make one.';
    return page(pages.linkDead(frame, sentence), GONE);
  }
  if (!account) {
    const sentence =
      link.email === undefined
        ? `Nobody looks after ${world.installation.name} yet. Whoever has this link can: create your account first, or sign in.`
        : `${link.email} is to look after ${link.organisationName ?? 'an organisation'}. Sign in with that address, or create an account with it.`;
    return page(pages.enterFirst(frame, { title, sentence, ...(link.email === undefined ? { early: true } : { email: link.email }) }));
  }
  if (isForAnother(link, account)) return page(pages.otherAddress(frame, { title, email: link.email! }), visit.method === 'POST' ? 403 : 200);
  return page(account.emailVerifiedAt === null ? pages.verifyFirst(frame, title) : pages.setUp(frame, { token, name: link.organisationName ?? '' }));
}

async function showInvitation(world: World, { visit, account, token }: Shown): Promise<Answer> {
  const invitation = TOKEN.test(token) ? await findInvitation(world, world.database.query, token) : undefined;
  const frame = frameOf(world, visit, account, invitation ? `/invitation?token=${token}` : '/invitation');
  if (!invitation)
    return page(pages.linkDead(frame, 'It was used, taken back or replaced by a newer one, or it is too old. Ask whoever invited you for another.'), GONE);
  const title = `Join ${invitation.organisation.name}`;
  if (!account) {
    const sentence = `${invitation.organisation.name} invites ${invitation.email}. Sign in with that address, or create an account with it.`;
    return page(pages.enterFirst(frame, { title, sentence, email: invitation.email }));
  }
  const refusal = acceptRefusal(invitation, account);
  if (refusal === 'domain') {
    const sentence = `${invitation.organisation.name} has come to take addresses of other domains alone. Ask whoever invited you.`;
    return page(pages.linkDead(frame, sentence), GONE);
  }
  if (refusal === 'other-address') return page(pages.otherAddress(frame, { title, email: invitation.email }), visit.method === 'POST' ? 403 : 200);
  return page(refusal === 'not-verified' ? pages.verifyFirst(frame, title) : pages.invitation(frame, { token, invitation }));
}

const frameOf = ({ installation }: World, visit: Visit, account: Account | undefined, address: string): pages.Frame => ({
  installation,
  formToken: visit.formToken,
  account,
  address,
});
