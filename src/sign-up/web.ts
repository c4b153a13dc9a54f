// /sign-up and /verify-email.
import { mountJourney, type Journey } from '../attempts/attempts.ts';
import { localPath } from '../platform/http/local-path.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { isJoiningOpen, readJoiningTerms, type JoiningTerms } from '../organisations/organisations.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import { enterBrowser, verifyAddress } from '../sign-in/sign-in.ts';
import { findConnectionFor } from '../sso/sso.ts';
import * as pages from './pages.ts';
import { finishVerifying, isVerified, signUp, startVerifyingEmail } from './sign-up.ts';

const CODE = '/verify-email/code';

export function mountSignUp(web: Web<undefined>, signedIn: Web<Session>, world: World): void {
  web.get('/sign-up', async (visit) => {
    const then = thenOf(visit.query.get('then'));
    const terms = await readJoiningTerms(world, world.database.query, then);
    if (!isJoiningOpen(terms)) return page(pages.closed(world.installation));
    const email = invitedAs(terms) ?? parseEmailAddress(visit.query.get('email') ?? '')?.address ?? '';
    return page(pages.signUp(world.installation, visit.formToken, { email, name: '', then }));
  });
  web.post('/sign-up', (visit) => answerSignUp(world, visit));
  web.get('/verify-email/taken', async () => page(pages.taken(world.installation)));

  signedIn.get('/verify-email', async (visit, session) => {
    const then = thenOf(visit.query.get('then'));
    if (isVerified(session.account)) return then === '' ? page(pages.verified(world.installation, visit.formToken, session.account)) : redirect(then);
    return page(pages.verifyEmail(world.installation, visit.formToken, session.account, then));
  });
  signedIn.post('/verify-email', async (visit, session) => {
    const then = thenOf(visit.field('then'));
    if (isVerified(session.account)) return redirect(verifyAddress(then === '' ? null : then));
    await startVerifyingEmail(world, { sessionId: session.id, accountId: session.account.id, returnTo: then === '' ? null : then, caller: visit });
    return redirect(CODE);
  });
  mountJourney(signedIn, world, verifyJourney(world));
}

async function answerSignUp(world: World, visit: Visit): Promise<Answer> {
  const then = thenOf(visit.field('then'));
  const fields = { email: visit.field('email'), name: visit.field('name'), then };
  const address = then === '' ? parseEmailAddress(fields.email) : undefined;
  const connection = address && (await findConnectionFor(world, world.database.query, address.key));
  // Its password would open nothing. Whoever follows a link to somewhere may need the account all the same: to own an organisation, or to connect it.
  if (connection?.required) return page(pages.byProvider(world.installation, visit.formToken, { name: connection.name, email: fields.email }), 403);
  const answered = await signUp(world, { ...fields, password: visit.field('password'), then: then === '' ? null : then, caller: visit });
  if (!answered.ok && answered.reason === 'not-joining') {
    if (!isJoiningOpen(answered.terms)) return page(pages.closed(world.installation), 403);
    const errors = { email: pages.notJoining(invitedAs(answered.terms)) };
    return page(pages.signUp(world.installation, visit.formToken, fields, { reason: 'fields', errors, now: world.clock.now() }), 422);
  }
  if (!answered.ok) {
    const refused = { ...answered, now: world.clock.now() };
    return page(pages.signUp(world.installation, visit.formToken, fields, refused), answered.reason === 'fields' ? 422 : 429);
  }
  return enterBrowser(visit, answered.entered, { next: '/sign-in/set-up', home: CODE });
}

const invitedAs = ({ bidden }: JoiningTerms): string | undefined => (typeof bidden === 'object' ? bidden.email : undefined);

/** Where a person was going, a path of ours; '' where nowhere. */
const thenOf = (text: string | null): string => localPath(text) ?? '';

function verifyJourney(world: World): Journey<Session> {
  return {
    purpose: 'verify-email',
    addresses: { 'email-code': CODE },
    lost: '/verify-email',
    holder: (_visit, session) => ({ sessionId: session.id }),
    sessionProofs: (session) => session.proofs,
    leave: { label: 'Do this later', address: '/account' },
    otherAddress: '/account/email',
    finish: async (transaction, situation, visit, session) => {
      const finished = await finishVerifying(world, transaction, situation, { session, caller: visit });
      return () => {
        if (finished.ok) {
          visit.setCookie('session', finished.token);
          return redirect(situation.attempt.state.returnTo ?? '/verify-email');
        }
        visit.clearCookie('session');
        return redirect('/verify-email/taken');
      };
    },
  };
}
