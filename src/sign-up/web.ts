// /sign-up and /verify-email.
import { mountJourney, type Journey } from '../attempts/attempts.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import { enterBrowser } from '../sign-in/sign-in.ts';
import * as pages from './pages.ts';
import { finishVerifying, isVerified, signUp, startVerifyingEmail } from './sign-up.ts';

const CODE = '/verify-email/code';

export function mountSignUp(web: Web<undefined>, signedIn: Web<Session>, world: World): void {
  web.get('/sign-up', async (visit) => page(pages.signUp(world.installation, visit.formToken, { email: '', name: '' })));
  web.post('/sign-up', (visit) => answerSignUp(world, visit));
  web.get('/verify-email/taken', async () => page(pages.taken(world.installation)));

  signedIn.get('/verify-email', async (visit, session) => {
    if (isVerified(session.account)) return page(pages.verified(world.installation, visit.formToken, session.account));
    return page(pages.verifyEmail(world.installation, visit.formToken, session.account));
  });
  signedIn.post('/verify-email', async (visit, session) => {
    if (isVerified(session.account)) return redirect('/verify-email');
    await startVerifyingEmail(world, { sessionId: session.id, accountId: session.account.id, caller: visit });
    return redirect(CODE);
  });
  mountJourney(signedIn, world, verifyJourney(world));
}

async function answerSignUp(world: World, visit: Visit): Promise<Answer> {
  const fields = { email: visit.field('email'), name: visit.field('name') };
  const answered = await signUp(world, { ...fields, password: visit.field('password'), caller: visit });
  if (!answered.ok) {
    const refused = { ...answered, now: world.clock.now() };
    return page(pages.signUp(world.installation, visit.formToken, fields, refused), answered.reason === 'fields' ? 422 : 429);
  }
  return enterBrowser(visit, answered.entered, { next: '/sign-in/set-up', home: CODE });
}

function verifyJourney(world: World): Journey<Session> {
  return {
    purpose: 'verify-email',
    addresses: { 'email-code': CODE },
    lost: '/verify-email',
    holder: (_visit, session) => ({ sessionId: session.id }),
    sessionProofs: (session) => session.proofs,
    leave: { label: 'Do this later', address: '/account' },
    finish: async (transaction, situation, visit, session) => {
      const finished = await finishVerifying(world, transaction, situation, { session, caller: visit });
      return () => {
        if (finished.ok) {
          visit.setCookie('session', finished.token);
          return redirect('/verify-email');
        }
        visit.clearCookie('session');
        return redirect('/verify-email/taken');
      };
    },
  };
}
