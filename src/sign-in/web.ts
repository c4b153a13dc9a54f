// The addresses of signing in: /sign-in, its steps, and signing out.
import { mountJourney, type Journey, type Situation } from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { isJoiningOpen, readJoiningTerms } from '../organisations/organisations.ts';
import { onlySignedInAt } from '../factors/factors.ts';
import { findReset, HELP_ADDRESS } from '../lost-phone/lost-phone.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { localPath } from '../platform/http/local-path.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { endSession, sessionOf } from '../sessions/sessions.ts';
import { hasConnection, signOutUrl } from '../sso/sso.ts';
import * as pages from './pages.ts';
import { whereToSignIn } from './by-provider.ts';
import { askDirectory, goTo, mountByProvider } from './provider-web.ts';
import { comeByProvider, signingOut } from './provider-pages.ts';
import { findSignIn, lengthenPassword } from './longer-password.ts';
import { answerPassword, enterBrowser, finishSignIn, HOME, leaveSignIn, NEXT, requiredOf, SIGN_IN } from './sign-in.ts';

const START = '/sign-in';

const ADDRESSES = {
  'second-factor': NEXT,
  'choose-method': '/sign-in/set-up',
  'email-code': '/sign-in/set-up/email',
  'begin-method': '/sign-in/set-up/method',
  'confirm-method': '/sign-in/set-up/code',
  'recovery-key': '/sign-in/recovery-key',
  'new-password': '/sign-in/new-password',
} as const;

export { ARRIVAL } from './provider-web.ts';

export function mountSignIn(web: Web<undefined>, world: World): void {
  web.get(START, async (visit) => {
    if (await sessionOf(world, visit)) return redirect(localPath(visit.query.get('then')) ?? HOME);
    const notice = visit.cookie('notice');
    if (notice !== undefined) visit.clearCookie('notice');
    const email = parseEmailAddress(visit.query.get('email') ?? '')?.address ?? '';
    const about = await aboutSignIn(world, visit, { email, then: visit.query.get('then') ?? '', way: visit.query.get('way') ?? '' });
    return page(pages.signIn({ ...about, notice }));
  });
  web.post(START, (visit) => signIn(world, visit));
  web.post('/sign-in/sso', async (visit) => {
    const [email, then] = [visit.field('email'), visit.field('then')];
    const where = await whereToSignIn(world, email);
    if (where.way === 'provider') return goTo(world, visit, where.connection);
    const unled = parseEmailAddress(email) ? 'no-provider' : 'no-address';
    return page(pages.signIn({ ...(await aboutSignIn(world, visit, { email, then, way: '' })), unled }), 422);
  });
  web.get('/sign-in/sso', async () => redirect(START));
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
  mountByProvider(web, world);
  const journey = signInJourney(world);
  mountJourney(web, world, journey);
  mountLongerPassword(web, world, journey);
}

async function signIn(world: World, visit: Visit): Promise<Answer> {
  const [email, password, then, way] = [visit.field('email'), visit.field('password'), visit.field('then'), visit.field('way')];
  const where = await whereToSignIn(world, email);
  // Read before anything is counted or recorded: where the page can't be made, nothing was done (RL-10).
  const about = await aboutSignIn(world, visit, { email, then, way });
  const byPassword = where.way === 'here' || way === 'password';
  if (!byPassword && where.way === 'provider' && (where.connection.required || password === '')) return goTo(world, visit, where.connection);
  const returnTo = localPath(then) ?? null;
  const connection = where.way === 'here' ? undefined : where.connection;
  const answered =
    !byPassword && where.way === 'directory'
      ? await askDirectory(world, visit, where.connection)
      : await answerPassword(world, {
          email,
          password,
          returnTo,
          required: await requiredOf(world, world.database.query, connection, { then, browserToken: visit.browserToken }),
          deviceToken: visit.cookie('device'),
          caller: visit,
        });
  if ('kind' in answered) return answered;
  if (answered.ok) return enterBrowser(visit, answered.entered, { next: NEXT, home: answered.returnTo ?? HOME });
  if (answered.reason === 'provider-required')
    return page(comeByProvider({ installation: world.installation, formToken: visit.formToken }, { name: answered.connection.name, email, then }), 403);
  return page(
    pages.signIn({ ...about, refused: answered, now: world.clock.now() }),
    answered.reason === 'wrong' ? 401 : answered.reason === 'suspended' ? 403 : 429,
  );
}

async function aboutSignIn(world: World, visit: Visit, { email, then, way }: { email: string; then: string; way: string }) {
  return {
    installation: world.installation,
    formToken: visit.formToken,
    email,
    then,
    way: way === 'password' ? way : '',
    joining: await isJoining(world, then),
    single: way !== 'password' && (await hasConnection(world.database.query)),
  };
}

/** Whether the way to an account is shown: where nobody could go it, it is not. */
const isJoining = async (world: World, then: string): Promise<boolean> => isJoiningOpen(await readJoiningTerms(world, world.database.query, then));

function signInJourney(world: World): Journey<undefined> {
  return {
    purpose: SIGN_IN,
    addresses: ADDRESSES,
    lost: START,
    lostNotice: 'took-too-long',
    holder: attemptIn,
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

/** What a change of the password brings is hashed outside every transaction: so this step has a form of its own. */
function mountLongerPassword(web: Web<undefined>, world: World, { addresses, lost, finish }: Journey<undefined>): void {
  const address = ADDRESSES['new-password'];
  const elsewhere = (situation: Situation | undefined): Answer => redirect((situation && addresses[situation.step]) ?? lost);
  const show = (visit: Visit, { account }: Situation, error?: string): Answer =>
    page(pages.longerPassword({ installation: world.installation, formToken: visit.formToken, account, error }), error === undefined ? 200 : 422);
  web.get(address, async (visit) => {
    const held = attemptIn(visit);
    const situation = held && (await findSignIn(world, { ...held, caller: visit }));
    return situation?.step === 'new-password' ? show(visit, situation) : elsewhere(situation);
  });
  web.post(address, async (visit) => {
    const held = attemptIn(visit);
    if (!held) return redirect(lost);
    const set = await lengthenPassword(world, { ...held, password: visit.field('password'), caller: visit }, (transaction, situation) =>
      finish(transaction, situation, visit, undefined),
    );
    if (set.ok) return set.done();
    return set.reason === 'refused' ? show(visit, set.situation, set.sentence) : elsewhere(set.situation);
  });
}

function attemptIn(visit: Visit): { attemptToken: string } | undefined {
  const attemptToken = visit.cookie('attempt');
  return attemptToken === undefined ? undefined : { attemptToken };
}

async function signOut(world: World, visit: Visit): Promise<Answer> {
  const session = await sessionOf(world, visit);
  const elsewhere = session && (await signOutUrl(world, session.id));
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
  return elsewhere === undefined ? redirect(START) : page(signingOut({ installation: world.installation, formToken: visit.formToken }, elsewhere));
}
