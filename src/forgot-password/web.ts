// /forgot-password: asking for the link, opening it, and choosing the new password.
import { ATTEMPT_LIFETIME, findAttempt, mountJourney, situationOf, type Journey, type Situation } from '../attempts/attempts.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import { enforcesRealSecondFactor } from '../policy/policy.ts';
import { openReset, requestReset, RESET_PASSWORD, setNewPassword } from './forgot-password.ts';
import * as pages from './pages.ts';

const START = '/forgot-password';
const NEW_PASSWORD = '/forgot-password/new-password';

export function mountForgotPassword(web: Web<undefined>, world: World): void {
  const { installation } = world;
  web.get(START, async (visit) => page(pages.ask(installation, visit.formToken, '')));
  web.post(START, async (visit) => {
    const email = visit.field('email');
    const requested = await requestReset(world, { email, caller: visit });
    if (requested.ok) return redirect('/forgot-password/sent');
    return page(pages.ask(installation, visit.formToken, email, { ...requested, now: world.clock.now() }), requested.reason === 'too-many' ? 429 : 422);
  });
  web.get('/forgot-password/sent', async () => page(pages.sent(installation)));

  // A mail scanner that follows the link uses nothing up (EC-11): the button does.
  web.get('/forgot-password/link', async (visit) => page(pages.open(installation, visit.formToken, visit.query.get('token') ?? '')));
  web.post('/forgot-password/link', async (visit) => {
    const opened = await openReset(world, { token: visit.field('token'), caller: visit });
    if (!opened) return page(pages.spent(installation), 410);
    visit.setCookie('reset', opened.attemptToken, { maxAgeSeconds: ATTEMPT_LIFETIME / 1000 });
    return redirect(NEW_PASSWORD);
  });

  web.get(NEW_PASSWORD, async (visit) => {
    const situation = await whereItIs(world, visit);
    const step = situation?.step;
    if (step === 'new-password') {
      const realSecondFactorEnforced = enforcesRealSecondFactor(world, situation!.policy.demand);
      return page(pages.newPassword(installation, visit.formToken, { realSecondFactorEnforced }));
    }
    return step === undefined ? page(pages.spent(installation), 410) : redirect(journey.addresses[step]!);
  });
  web.post(NEW_PASSWORD, (visit) => answerNewPassword(world, visit));
  mountJourney(web, world, journey);
}

const journey: Journey<undefined> = {
  purpose: RESET_PASSWORD,
  addresses: { 'second-factor': '/forgot-password/recovery-key', 'recovery-key': '/forgot-password/next-recovery-key', 'new-password': NEW_PASSWORD },
  // It says what may have become of the link, and how to go on.
  lost: NEW_PASSWORD,
  holder: holderOf,
  sessionProofs: () => ({}),
  leave: { label: 'Stop here', address: '/sign-in' },
  // The new password is the last step and finishes by itself.
  finish: () => Promise.reject(new Error('A password reset ends with the new password.')),
};

function holderOf(visit: Visit): { attemptToken: string } | undefined {
  const attemptToken = visit.cookie('reset');
  return attemptToken === undefined ? undefined : { attemptToken };
}

async function whereItIs(world: World, visit: Visit): Promise<Situation | undefined> {
  const holder = holderOf(visit);
  const { query } = world.database;
  const attempt = holder && (await findAttempt(world, query, holder, RESET_PASSWORD));
  return attempt && situationOf(world, { queries: query, attempt, browserToken: visit.browserToken, sessionProofs: {} });
}

async function answerNewPassword(world: World, visit: Visit): Promise<Answer> {
  const holder = holderOf(visit);
  if (!holder) return page(pages.spent(world.installation), 410);
  const set = await setNewPassword(world, { ...holder, password: visit.field('password'), caller: visit });
  if (!set.ok) {
    if (set.reason === 'elsewhere') return redirect(NEW_PASSWORD);
    return page(pages.newPassword(world.installation, visit.formToken, { error: set.sentence, ...set }), 422);
  }
  visit.clearCookie('reset');
  visit.clearCookie('session');
  visit.setCookie('notice', 'password-reset');
  return redirect('/sign-in');
}
