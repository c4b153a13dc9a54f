// Apps behind the portal, for programs. Rules are checked by what reads them from the console's form.
import { z } from 'zod';
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
  type Rule,
} from '../apps/apps.ts';
import { ROLES } from '../organisations/organisations.ts';
import { isMatch, operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { actProblem, idParameter } from './people-api.ts';

const READING = { tag: 'Apps', scope: 'apps:read' } as const;
const WRITING = { tag: 'Apps', scope: 'apps:write' } as const;

const need = z.enum(NEEDS).describe('Two-factor: by something that only this person has. An emailed code is not that');
const ruleShape = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[!-~]*$/)
      .max(500)
      .describe('The beginning of a path, whole parts of it'),
    methods: z
      .array(z.string().regex(/^[A-Z]{1,20}$/))
      .max(20)
      .default([])
      .describe('None: all'),
    need,
    roles: z.array(z.enum(ROLES)).max(ROLES.length).default([]).describe('Who may; none: all who belong to the organisation'),
    withinMinutes: z.int().min(1).max(1440).nullable().default(null).describe('How old a proof may be; null: as old as the session'),
  })
  .meta({ id: 'AppRule' });
const RULES_MOST = 50;
const sentFields = {
  name: z.string().max(200),
  rules: z.array(ruleShape).max(RULES_MOST).describe('In this order: the first that fits counts'),
  otherwise: need.describe('Where no rule fits'),
};
const appShape = z.object({ id: z.string(), host: z.string(), ...sentFields }).meta({ id: 'App' });
const host = z.string().max(300).describe('As people open it, with its port where it has one; *.apps.example.org is every host below');

export const appOperations = (world: World): readonly Operation<KeyHolder>[] => [
  list(world),
  read(world),
  add(world),
  change(world),
  remove(world),
  whichRule(world),
];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listApps',
    method: 'GET',
    path: '/apps',
    summary: 'Lists the apps behind the portal',
    answer: { status: 200, says: 'All of them', shape: z.object({ apps: z.array(appShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => ({ apps: (await listApps(world.database.query, [organisation.id])).map(asJson) }),
  });

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readApp',
    method: 'GET',
    path: '/apps/{id}',
    summary: 'Shows an app and its rules',
    parameters: idParameter,
    answer: { status: 200, says: 'The app', shape: appShape },
    version: tagOf,
    handle: (holder: KeyHolder, { parameters: { id } }) => appOf(world, holder, id),
  });

const tagOf = ({ name, rules, otherwise: last }: z.input<typeof appShape>): string =>
  versionOf({ name, last, rules: rules.map((rule) => ruleShape.parse(rule)) });

async function appOf({ database: { query } }: World, { actor: { organisation } }: KeyHolder, id: string): Promise<z.input<typeof appShape>> {
  const app = await findApp(query, organisation.id, id);
  if (!app) throw noSuchThing();
  return asJson(app);
}

const asJson = ({ id, name, host: at, rules, last }: App): z.input<typeof appShape> => ({
  id,
  name,
  host: at,
  rules: rules.map((rule) => ({ ...rule, methods: [...rule.methods], roles: [...rule.roles] })),
  otherwise: last,
});

const add = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'addApp',
    method: 'POST',
    path: '/apps',
    summary: 'Puts an app behind the portal',
    description: 'Its reverse proxy has to ask the portal, see docs/forward-auth.md.',
    body: z.strictObject({ host, ...sentFields }),
    answer: { status: 201, says: 'The app', shape: appShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { body: { rules, otherwise: last, ...rest } }) => {
      const added = await addApp(world, holder.actor, { ...rest, last, rules: checked(rules) });
      if (!added.ok) throw appProblem(added.reason);
      return appOf(world, holder, added.id);
    },
  });

const change = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'changeApp',
    method: 'PUT',
    path: '/apps/{id}',
    summary: 'Changes the name and the rules of an app',
    description: 'All of its rules, in the place of those before. They hold from the next request on.',
    parameters: idParameter,
    body: z.strictObject(sentFields),
    needsIfMatch: true,
    answer: { status: 200, says: 'The app, as it is now', shape: appShape },
    version: tagOf,
    refusals: ['not-allowed'],
    handle: async (holder: KeyHolder, { parameters: { id }, body: { name, rules, otherwise: last }, ifMatch }) => {
      const isSeen = (version: string) => isMatch(ifMatch, version);
      const changed = await changeApp(world, holder.actor, id, { name, last, rules: checked(rules), isSeen });
      if (!changed.ok) throw appProblem(changed.reason);
      return appOf(world, holder, id);
    },
  });

const remove = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'removeApp',
    method: 'DELETE',
    path: '/apps/{id}',
    summary: 'Takes an app away',
    description: 'Nobody is let through to it any more.',
    parameters: idParameter,
    answer: { status: 204, says: 'It is behind the portal no more' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const removed = await removeApp(world, actor, id);
      if (!removed.ok) throw appProblem(removed.reason);
    },
  });

const whichRule = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readRuleOfAddress',
    method: 'GET',
    path: '/apps/{id}/rule',
    summary: 'Says which rule an address of an app meets',
    parameters: idParameter,
    query: z.strictObject({
      path: z.string().max(2000).describe('Such as /admin/users'),
      method: z
        .string()
        .regex(/^[A-Z]{1,20}$/)
        .default('GET'),
    }),
    answer: {
      status: 200,
      says: 'The rule',
      shape: z.object({
        refused: z.boolean().describe('Whether the path can be read in two ways, so that nobody is let through'),
        number: z.int().nullable().describe('Of the rule, from 1; null where none fits, or the path is refused'),
        need: z.enum(NEEDS).nullable().describe('What it asks for'),
      }),
    },
    handle: async ({ actor: { organisation } }: KeyHolder, { parameters: { id }, query: { path, method } }) => {
      const app = await findApp(world.database.query, organisation.id, id);
      if (!app) throw noSuchThing();
      const ruled = ruleFor(app.rules, app.last, { path: path.split('?')[0]!, method });
      return { refused: !ruled, number: ruled?.index === undefined ? null : ruled.index + 1, need: ruled?.rule.need ?? null };
    },
  });

/** As the lines of the form are read, so that both mean the same. */
function checked(sent: readonly Rule[]): readonly Rule[] {
  const lines = rulesFrom(rulesInWords(sent));
  if (!('mistake' in lines)) return lines;
  const [, line = '', detail = lines.mistake] = /^Line (\d+): (.+)$/.exec(lines.mistake) ?? [];
  throw doesNotFit([{ pointer: line === '' ? '#/rules' : `#/rules/${Number(line) - 1}`, detail: `Not a rule: ${detail}` }]);
}

function appProblem(reason: Exclude<AppChanged, { ok: true }>['reason']): Problem {
  switch (reason) {
    case 'name':
      return doesNotFit([{ pointer: '#/name', detail: 'Use 1 to 60 characters that can be shown.' }]);
    case 'host':
      return doesNotFit([{ pointer: '#/host', detail: 'Not a host such as wiki.example.org, wiki.example.org:8443 or *.apps.example.org.' }]);
    case 'own-host':
      return doesNotFit([{ pointer: '#/host', detail: 'That is this portal itself.' }]);
    case 'host-taken':
      return new Problem('conflict', 'There is an app at this host already.');
    case 'too-many':
      return new Problem('conflict', 'The organisation has as many apps as one may have.');
    case 'changed-meanwhile':
      return new Problem('precondition-failed', 'The app was changed in the meantime, so nothing was done. Read it, and decide anew.');
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return actProblem('not-allowed');
  }
}
