// The addresses of signing in: /sign-in, its steps, and signing out.
import { mountJourney, type Journey } from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { isJoiningOpen, readJoiningTerms } from '../organisations/organisations.ts';
import { onlySignedInAt } from '../factors/factors.ts';
import { findReset, HELP_ADDRESS } from '../lost-phone/lost-phone.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { localPath } from '../platform/http/local-path.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { endSession, sessionOf } from '../sessions/sessions.ts';
import * as pages from './pages.ts';
import { answerPassword, enterBrowser, finishSignIn, leaveSignIn, SIGN_IN } from './sign-in.ts';

const START = '/sign-in';
/** Where a person lands who was not on the way to anywhere. */
const HOME = '/account';

const ADDRESSES = {
  'second-factor': '/sign-in/verify',
  'choose-method': '/sign-in/set-up',
  'email-code': '/sign-in/set-up/email',
  'begin-method': '/sign-in/set-up/method',
  'confirm-method': '/sign-in/set-up/code',
  'recovery-key': '/sign-in/recovery-key',
} as const;

export function mountSignIn(web: Web<undefined>, world: World): void {
  web.get(START, async (visit) => {
    if (await sessionOf(world, visit)) return redirect(localPath(visit.query.get('then')) ?? HOME);
    const notice = visit.cookie('notice');
    if (notice !== undefined) visit.clearCookie('notice');
    const email = parseEmailAddress(visit.query.get('email') ?? '')?.address ?? '';
    const then = visit.query.get('then') ?? '';
    return page(pages.signIn({ installation: world.installation, formToken: visit.formToken, email, then, joining: await isJoining(world, then), notice }));
  });
  web.post(START, (visit) => signIn(world, visit));
  web.get('/sign-in/done', async (visit) => {
    const session = await sessionOf(world, visit);
    if (!session) return redirect(START);
    const then = localPath(visit.query.get('then')) ?? HOME;
    return page(pages.done({ installation: world.installation, formToken: visit.formToken, account: session.account, then }));
  });
  web.get('/sign-in/leave', async (visit) => page(pages.leave({ installation: world.installation, formToken: visit.formToken })));
  web.post('/sign-in/leave', async (visit) => {
    const token = visit.cookie('attempt');
    if (token !== undefined) await leaveSignIn(world, token);
    visit.clearCookie('attempt');
    return redirect(START);
  });
  web.post('/sign-out', (visit) => signOut(world, visit));
  mountJourney(web, world, signInJourney(world));
}

async function signIn(world: World, visit: Visit): Promise<Answer> {
  const email = visit.field('email');
  const then = visit.field('then');
  const answered = await answerPassword(world, {
    email,
    password: visit.field('password'),
    returnTo: localPath(then) ?? null,
    deviceToken: visit.cookie('device'),
    caller: visit,
  });
  if (!answered.ok) {
    const about = { installation: world.installation, formToken: visit.formToken, email, then, joining: await isJoining(world, then) };
    return page(
      pages.signIn({ ...about, refused: answered, now: world.clock.now() }),
      answered.reason === 'wrong' ? 401 : answered.reason === 'suspended' ? 403 : 429,
    );
  }
  return enterBrowser(visit, answered.entered, { next: ADDRESSES['second-factor'], home: answered.returnTo ?? HOME });
}

/** Whether the way to an account is shown: where nobody could go it, it is not. */
const isJoining = async (world: World, then: string): Promise<boolean> => isJoiningOpen(await readJoiningTerms(world, world.database.query, then));

function signInJourney(world: World): Journey<undefined> {
  return {
    purpose: SIGN_IN,
    addresses: ADDRESSES,
    lost: START,
    lostNotice: 'took-too-long',
    holder: (visit) => {
      const token = visit.cookie('attempt');
      return token === undefined ? undefined : { attemptToken: token };
    },
    sessionProofs: () => ({}),
    leave: { label: 'Not you?', address: '/sign-in/leave' },
    help: HELP_ADDRESS,
    finish: async (transaction, situation, visit) => {
      const { usedRecoveryKey, returnTo, proofs } = situation.attempt.state;
      // Where a new phone is set up comes before wherever one was going.
      const resetWaits = (await findReset(transaction, situation.account.id)) !== undefined;
      const repairs = resetWaits || usedRecoveryKey || onlySignedInAt(proofs) !== undefined;
      const { token, setUp, device } = await finishSignIn(world, transaction, situation, visit);
      return () => {
        if (usedRecoveryKey) visit.setCookie('notice', 'recovered');
        const confirmation = `/sign-in/done${returnTo === null ? '' : `?then=${encodeURIComponent(returnTo)}`}`;
        const home = setUp ? confirmation : repairs ? '/account/security' : (returnTo ?? HOME);
        return enterBrowser(visit, { kind: 'session', token, device }, { next: START, home });
      };
    },
  };
}

async function signOut(world: World, visit: Visit): Promise<Answer> {
  const session = await sessionOf(world, visit);
  if (session) {
    await world.database.transaction(async (transaction) => {
      await endSession(transaction, session.id);
      await record(world, transaction, { event: 'session_ended', accountId: session.account.id, from: visit, details: { reason: 'signed out' } });
    });
  }
  visit.clearCookie('session');
  visit.clearCookie('attempt');
  visit.setCookie('notice', 'signed-out');
  visit.clearSiteData();
  return redirect(START);
}
