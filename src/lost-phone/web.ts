// /stop-reset: where the link leads that comes with the mail about a reset. GET shows, POST stops: a scanner that follows links decides nothing (EC-11).
import { page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import { findResetOfToken, stopResetByToken } from './lost-phone.ts';
import * as pages from './pages.ts';

/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;
const GONE = 410;

export function mountLostPhone(web: Web<undefined>, world: World): void {
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

const dead = (world: World, visit: Visit): Answer => page(pages.linkDead(frameOf(world, visit)), GONE);

const frameOf = ({ installation }: World, { formToken }: Visit): pages.Frame => ({ installation, formToken });
