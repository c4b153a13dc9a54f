// /sign-in/help: asking for help behind the password. And /stop-reset: where the link leads that comes with the mail about a reset. GET shows, POST stops: a scanner that follows links decides nothing (EC-11).
import { knowsBrowser, lockAccount, type Account } from '../accounts/accounts.ts';
import { findAttempt, situationOf, type Situation } from '../attempts/attempts.ts';
import type { Queries } from '../platform/database/database.ts';
import type { Html } from '../platform/html/html.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import { askForHelp, findRequest, findResetOfToken, HELP_ADDRESS, stopResetByToken, whoHelps } from './lost-phone.ts';
import * as pages from './pages.ts';

/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;
const GONE = 410;

export function mountLostPhone(web: Web<undefined>, world: World): void {
  mountHelp(web, world);
  web.get('/stop-reset', async (visit) => {
    const token = visit.query.get('token') ?? '';
    const reset = TOKEN.test(token) ? await findResetOfToken(world, world.database.query, token) : undefined;
    return reset ? page(pages.stopReset(frameOf(world, visit), { token, reset })) : dead(world, visit);
  });
  web.post('/stop-reset', async (visit) => {
    const token = visit.field('token');
    const stopped = TOKEN.test(token) && (await stopResetByToken(world, { token, from: visit }));
    return stopped ? page(pages.resetStopped(frameOf(world, visit))) : dead(world, visit);
  });
}

/** Whoever has not shown the password, and whoever is at another step, is led to where they are: this page tells nobody whether there is an account. */
function mountHelp(web: Web<undefined>, world: World): void {
  const elsewhere = redirect('/sign-in/verify');
  web.get(HELP_ADDRESS, async (visit) => {
    const { query } = world.database;
    const situation = await situationAt(world, query, visit);
    return situation ? page(await helpPage(world, query, { visit, account: situation.account })) : elsewhere;
  });
  web.post(HELP_ADDRESS, (visit) =>
    world.database.transaction(async (transaction) => {
      const seen = await situationAt(world, transaction, visit);
      const account = seen && (await lockAccount(transaction, seen.account.id));
      // Read only once the account is ours: what was open a moment ago may be over.
      if (!account || !(await situationAt(world, transaction, visit))) return elsewhere;
      const browserKnown = await knowsBrowser(world, transaction, account.id, visit.browserToken);
      const words = visit.field('words');
      const asked = await askForHelp(world, transaction, { account, words, browserKnown, from: visit });
      const refused = asked.ok ? undefined : asked;
      const status = refused?.reason === 'words' ? 422 : refused?.reason === 'too-many' ? 429 : 200;
      return page(await helpPage(world, transaction, { visit, account, words, refused }), status);
    }),
  );
}

/** Of whoever has shown the password, and owes the second step. */
async function situationAt(world: World, queries: Queries, visit: Visit): Promise<Situation | undefined> {
  const attemptToken = visit.cookie('attempt');
  const attempt = attemptToken === undefined ? undefined : await findAttempt(world, queries, { attemptToken }, 'sign-in');
  const situation = attempt && (await situationOf(world, { queries, attempt, browserToken: visit.browserToken, sessionProofs: {} }));
  return situation?.step === 'second-factor' ? situation : undefined;
}

async function helpPage(
  world: World,
  queries: Queries,
  { visit, account, words = '', refused }: { visit: Visit; account: Account; words?: string; refused?: pages.HelpRefused | undefined },
): Promise<Html> {
  const open = await findRequest(world, queries, account.id);
  const helpers = await whoHelps(queries, account);
  return pages.askForHelp({ ...frameOf(world, visit), account, now: world.clock.now() }, { helpers, askedAt: open?.askedAt, words, refused });
}

const dead = (world: World, visit: Visit): Answer => page(pages.linkDead(frameOf(world, visit)), GONE);

const frameOf = ({ installation }: World, { formToken }: Visit): pages.Frame => ({ installation, formToken });
