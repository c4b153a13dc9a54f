// /admin/help: who asks for help from the sign-in page.
import { closeRequest, listRequests } from '../lost-phone/lost-phone.ts';
import { page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { readPerson, type RequestShown } from './admin.ts';
import { actorOf, change, done, frameOf, type Console } from './console.ts';
import { HELP_REASONS } from './help-pages.ts';
import { helpRequests } from './help-requests-pages.ts';

const HELP = '/admin/help';

export function mountHelpRequests(web: Web<Console>, world: World): void {
  web.get(HELP, (visit, context) => show(world, visit, context));
  web.post(
    `${HELP}/:id/close`,
    change(world, { action: 'issue-bypass-code', back: () => HELP }, async (visit, context) => {
      const closed = await closeRequest(world, actorOf(visit, context), visit.parameters['id']!);
      if (closed.ok) return done(visit, context, 'help-closed', HELP);
      if (closed.reason === 'not-found') throw noSuchPage();
      return show(world, visit, context, { sentence: HELP_REASONS[closed.reason], status: closed.reason === 'changed-meanwhile' ? 409 : 403 });
    }),
  );
}

async function show(world: World, visit: Visit, context: Console, refused?: { sentence: string; status: number }): Promise<Answer> {
  const requests: RequestShown[] = [];
  for (const request of await listRequests(world, world.database.query, context.organisation.id)) {
    const person = await readPerson(world, context.organisation, request.accountId);
    if (person) requests.push({ request, person });
  }
  return page(helpRequests(frameOf(world, visit, context), { requests, refused: refused?.sentence }), refused?.status ?? 200);
}
