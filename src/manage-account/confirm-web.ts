// /account/confirm: a fresh proof, before something that changes how one gets in. And /account/connect, by which an identity provider becomes a way in.
import * as attempts from '../attempts/attempts.ts';
import { standing } from '../factors/factors.ts';
import { minutes } from '../platform/durations.ts';
import { localPath } from '../platform/http/local-path.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import { findWaiting } from '../sso/sso.ts';
import { changed, confirmFirst, frame, freshOr, journeyOf, SECURITY } from './frame.ts';
import * as manage from './manage-account.ts';
import { CONFIRM_ADDRESS } from './manage-account.ts';
import * as pages from './pages.ts';
import { arriveToConfirm, confirmOwnPassword, connect, disconnect, leaveToConfirm, readFirstFactors, type Confirmed } from './providers.ts';

const WITHIN_MOST = 1440;
/** Minutes; an app may ask for a fresher proof than the policies do, never for a staler one. */
const withinFrom = (text: string | null): number => (text !== null && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : WITHIN_MOST);

/** Where whoever comes back from a provider lands. */
export const CONFIRM_ARRIVAL = `${CONFIRM_ADDRESS}/arrived`;
const CONNECT = '/account/connect';

/** A fresh proof: a first factor, then the strongest second one; only what is not fresh. */
export function mountConfirming(web: Web<Session>, world: World): void {
  const address = CONFIRM_ADDRESS;
  web.get(address, async (visit, session) => {
    const within = withinFrom(visit.query.get('within'));
    const { missing, onlySignedIn } = await manage.readSecurity(world, world.database.query, session, minutes(within));
    const to = thenOf(visit.query.get('then'));
    return missing.length === 0 ? redirect(to) : show(world, visit, session, { missing, then: to, within, onlySignedIn });
  });
  web.post(address, async (visit, session) => {
    const within = withinFrom(visit.field('within'));
    const { missing } = await manage.readSecurity(world, world.database.query, session, minutes(within));
    const to = thenOf(visit.field('then'));
    if (missing.length === 0) return redirect(to);
    const asksFirst = missing.includes('first-factor');
    if (asksFirst) {
      const confirmed = await confirmOwnPassword(world, { session, password: visit.field('password'), caller: visit });
      if (!confirmed.ok) return show(world, visit, session, { missing, then: to, within, refused: confirmed });
    }
    return goOn(world, { visit, session, proofs: asksFirst ? { password: world.clock.now() } : {}, returnTo: to, freshFor: minutes(within) });
  });
  mountByProvider(web, world);
  attempts.mountJourney(web, world, {
    ...journeyOf('confirm', { 'second-factor': `${address}/verify`, 'recovery-key': `${address}/recovery-key` }),
    finish: (transaction, situation, visit, session) => finishConfirm(world, transaction, situation, visit, session),
  });
}

const thenOf = (text: string | null): string => localPath(text) ?? SECURITY;

async function show(world: World, visit: Visit, session: Session, about: Omit<pages.Confirm, 'first'>): Promise<Answer> {
  const first = await readFirstFactors(world.database.query, session.account.id);
  const status = about.refused === undefined ? 200 : about.refused.reason === 'too-many-tries' ? 429 : 422;
  return page(pages.confirm(frame(world, visit, session), { ...about, first }), status);
}

/** The first factor is shown; the second is asked for where it is not fresh. */
async function goOn(
  world: World,
  { visit, session, ...state }: { visit: Visit; session: Session; proofs: Session['proofs']; returnTo: string; freshFor: number },
): Promise<Answer> {
  const answer = await world.database.transaction(async (transaction) => {
    const situation = await manage.begin(world, transaction, { session, purpose: 'confirm', state, caller: visit });
    if (situation.step === 'done') return finishConfirm(world, transaction, situation, visit, session);
    const [strongest] = standing(situation.enrolled);
    if (strongest) await attempts.ask(world, transaction, situation, { kind: strongest.kind, from: visit });
    return () => redirect(`${CONFIRM_ADDRESS}/verify`);
  });
  return answer();
}

/** Whoever signs in by a provider shows there again who they are. */
function mountByProvider(web: Web<Session>, world: World): void {
  web.post(`${CONFIRM_ADDRESS}/sso`, async (visit, session) => {
    const within = withinFrom(visit.field('within'));
    const about = { session, connectionId: visit.field('connection'), returnTo: thenOf(visit.field('then')), freshFor: minutes(within), caller: visit };
    const left = await leaveToConfirm(world, about);
    if (!left) return redirect(CONFIRM_ADDRESS);
    if (left.ok) return page(pages.leaving(frame(world, visit, session), left));
    return unconfirmed(world, visit, session, { reason: left.reason, then: about.returnTo });
  });
  web.get(`${CONFIRM_ADDRESS}/sso`, async () => redirect(CONFIRM_ADDRESS));
  web.get(CONFIRM_ARRIVAL, async (visit, session) => {
    const confirmed = await arriveToConfirm(world, { session, token: visit.query.get('with') ?? '', caller: visit });
    if (!confirmed.ok) return unconfirmed(world, visit, session, { reason: confirmed.reason, then: confirmed.returnTo ?? SECURITY });
    const { returnTo, freshFor, provenAt } = confirmed;
    return goOn(world, { visit, session, proofs: { sso: provenAt }, returnTo, freshFor });
  });

  web.get(CONNECT, async (visit, session) => {
    const token = visit.query.get('with') ?? '';
    const fresh = await freshOr(world, session, `${CONNECT}?with=${encodeURIComponent(token)}`);
    if ('answer' in fresh) return fresh.answer;
    const waiting = await findWaiting(world, { token, browserToken: visit.browserToken });
    return page(pages.connect(frame(world, visit, session), waiting && { name: waiting.connection.name, token }), waiting ? 200 : 404);
  });
  web.post(CONNECT, async (visit, session) => {
    const token = visit.field('with');
    const connected = await connect(world, { session, token, caller: visit });
    if (connected.ok) return changed(visit, { notice: 'provider-connected', to: connected.returnTo ?? SECURITY });
    if (connected.reason === 'stale') return confirmFirst(`${CONNECT}?with=${encodeURIComponent(token)}`);
    return page(pages.connect(frame(world, visit, session), undefined, connected.reason), 409);
  });
  web.post(`${SECURITY}/disconnect`, async (visit, session) => {
    const done = await disconnect(world, { session, connectionId: visit.field('connection'), caller: visit });
    if (done.ok) return changed(visit, { notice: 'provider-disconnected' });
    if (done.reason === 'stale') return confirmFirst(SECURITY);
    return changed(visit, { notice: `provider-${done.reason}` });
  });
}

async function unconfirmed(
  world: World,
  visit: Visit,
  session: Session,
  { reason, then }: { reason: Extract<Confirmed, { ok: false }>['reason']; then: string },
): Promise<Answer> {
  const { missing } = await manage.readSecurity(world, world.database.query, session);
  return missing.length === 0 ? redirect(then) : show(world, visit, session, { missing, then, within: WITHIN_MOST, refused: { reason } });
}

async function finishConfirm(
  world: World,
  transaction: Parameters<typeof manage.finishConfirming>[1],
  situation: attempts.Situation,
  visit: Visit,
  session: Session,
): Promise<() => Answer> {
  const token = await manage.finishConfirming(world, transaction, { situation, session, caller: visit });
  return () => {
    visit.setCookie('session', token);
    return redirect(situation.attempt.state.returnTo ?? SECURITY);
  };
}
