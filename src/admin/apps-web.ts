// /admin/apps: what stands behind the portal, and by which rules. Mounted by web.ts.
import {
  addApp,
  changeApp,
  findApp,
  listApps,
  NEEDS,
  removeApp,
  ruleFor,
  rulesFrom,
  rulesInWords,
  versionOf,
  type App,
  type AppChanged,
} from '../apps/apps.ts';
import { may } from '../organisations/organisations.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { proofIsFresh } from './admin.ts';
import * as pages from './apps-pages.ts';
import { actorOf, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import { addressIn } from './pages.ts';

const APPS = '/admin/apps';
const RULES_BYTES_MOST = 30_000;
const EMPTY: pages.AppFields = { name: '', host: '', rules: '', last: 'signed-in' };

export function mountAdminApps(web: Web<Console>, world: World): void {
  web.get(APPS, async (visit, context) => page(pages.apps(frameOf(world, visit, context), await listApps(world.database.query, [context.organisation.id]))));
  web.get(`${APPS}/new`, async (visit, context) => {
    if (!may(context.role, 'manage-apps')) throw noSuchPage();
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, `${APPS}/new`);
    return page(pages.newApp(frameOf(world, visit, context), EMPTY));
  });
  web.post(
    `${APPS}/new`,
    change(world, { action: 'manage-apps', back: () => `${APPS}/new` }, async (visit, context) => {
      const read = readFields(visit);
      const mistakes = { ...read.mistakes };
      if (Object.keys(mistakes).length === 0) {
        const { name, host, last } = read.fields;
        const added = await addApp(world, actorOf(visit, context), { name, host, last, rules: read.rules });
        if (added.ok) return done(visit, context, 'app-added', `${APPS}/${added.id}`);
        Object.assign(mistakes, mistakeOf(added.reason));
      }
      return page(pages.newApp(frameOf(world, visit, context), read.fields, mistakes), 422);
    }),
  );
  mountOne(web, world);
}

function mountOne(web: Web<Console>, world: World): void {
  const address = `${APPS}/:id`;
  const back = (visit: Visit) => `${APPS}/${visit.parameters['id']}`;
  web.get(address, async (visit, context) => show(world, visit, context, {}));
  web.post(
    address,
    change(world, { action: 'manage-apps', back }, async (visit, context) => {
      const app = await appOf(world, visit, context);
      const read = readFields(visit);
      if (Object.keys(read.mistakes).length > 0) return show(world, visit, context, { fields: read.fields, mistakes: read.mistakes });
      const { name, last } = read.fields;
      const isSeen = (version: string) => version === visit.field('version');
      const changed = await changeApp(world, actorOf(visit, context), app.id, { name, last, rules: read.rules, isSeen });
      return changed.ok
        ? done(visit, context, 'app-changed', back(visit))
        : show(world, visit, context, { fields: read.fields, mistakes: mistakeOf(changed.reason) });
    }),
  );
  web.post(
    `${address}/remove`,
    change(world, { action: 'manage-apps', back }, async (visit, context) => {
      const removed = await removeApp(world, actorOf(visit, context), visit.parameters['id']!);
      if (!removed.ok) throw noSuchPage();
      return done(visit, context, 'app-removed', APPS);
    }),
  );
  web.get(`${address}/remove`, async (visit, context) => redirect(addressIn(context, back(visit))));
}

async function appOf(world: World, visit: Visit, { organisation }: Console): Promise<App> {
  const app = await findApp(world.database.query, organisation.id, visit.parameters['id']!);
  if (!app) throw noSuchPage();
  return app;
}

interface Read {
  readonly fields: pages.AppFields;
  readonly rules: App['rules'];
  readonly mistakes: pages.AppMistakes;
}

function readFields(visit: Visit): Read {
  const chosen = NEEDS.find((need) => need === visit.field('last'));
  const text = visit.field('rules', RULES_BYTES_MOST).replaceAll('\r\n', '\n');
  const rules = rulesFrom(text);
  const wrong = 'mistake' in rules ? { rules: rules.mistake } : {};
  return {
    fields: { name: visit.field('name'), host: visit.field('host'), rules: text, last: chosen ?? 'signed-in' },
    rules: 'mistake' in rules ? [] : rules,
    mistakes: { ...(chosen ? {} : { last: 'Choose one of the three.' }), ...wrong },
  };
}

function mistakeOf(reason: Exclude<AppChanged, { ok: true }>['reason']): pages.AppMistakes {
  switch (reason) {
    case 'name':
      return { name: 'Use 1 to 60 characters that can be shown.' };
    case 'host':
      return { host: 'That is no host. Write it as in wiki.example.org, wiki.example.org:8443 or *.apps.example.org.' };
    case 'host-taken':
      return { host: 'There is an app at this host already.' };
    case 'own-host':
      return { host: 'That is this portal itself.' };
    case 'too-many':
      return { name: 'The organisation has as many apps as one may have. Remove one first.' };
    case 'changed-meanwhile':
      return {
        rules: 'Somebody else changed this app in the meantime. Below is what you wrote: look at what is in force in another window, and save once more.',
      };
    case 'not-allowed':
    case 'not-found':
      throw noSuchPage();
  }
}

async function show(
  world: World,
  visit: Visit,
  context: Console,
  { fields, mistakes }: { fields?: pages.AppFields; mistakes?: pages.AppMistakes },
): Promise<Answer> {
  const app = await appOf(world, visit, context);
  const path = (visit.query.get('path') ?? '').slice(0, 2000);
  const method = (visit.query.get('method') ?? 'GET').slice(0, 20).toUpperCase();
  const shown = {
    version: versionOf(app),
    fields: fields ?? { name: app.name, host: app.host, rules: rulesInWords(app.rules), last: app.last },
    ...(mistakes === undefined ? {} : { mistakes }),
    tried: { address: path, method, answer: path === '' ? undefined : whichRule(app, path.split('?')[0]!, method) },
  };
  return page(pages.app(frameOf(world, visit, context), app, shown), mistakes === undefined ? 200 : 422);
}

function whichRule(app: App, path: string, method: string): string {
  const ruled = ruleFor(app.rules, app.last, { path, method });
  if (!ruled) return 'None: this path can be read in two ways, so it is refused.';
  const { rule, index } = ruled;
  return index === undefined
    ? `None of the rules by path fits, so it asks for: ${app.last}.`
    : `Rule ${index + 1}: ${rulesInWords([rule])}. It is the first that fits.`;
}
