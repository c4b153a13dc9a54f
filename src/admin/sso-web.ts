// /admin/sso: the organisation's own identity providers, and the domains that lead to them. Mounted by web.ts.
import { may } from '../organisations/organisations.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import {
  addConnection,
  addDomain,
  changeConnection,
  checkDomain,
  leadDomain,
  listConnections,
  listDomains,
  protocolOf,
  protocols,
  removeConnection,
  removeDomain,
  setConnection,
  type AnyProtocol,
  type ConnectionChanged,
  type ConnectionFields,
  type ConnectionState,
  type DomainChanged,
} from '../sso/sso.ts';
import { proofIsFresh } from './admin.ts';
import { actorOf, change, confirmFirst, done, frameOf, type Console } from './console.ts';
import { addressIn } from './pages.ts';
import { connectionOf, showOne, SSO } from './sso-connection-web.ts';
import * as pages from './sso-pages.ts';
import { mountTesting } from './sso-test-web.ts';

/** Metadata and certificates are long. */
const SETTING_BYTES_MOST = 40_000;
const manages = { action: 'manage-sso' } as const;

export function mountAdminSso(web: Web<Console>, world: World): void {
  web.get(SSO, (visit, context) => showAll(world, visit, context));
  web.get(`${SSO}/new`, async (visit, context) => {
    if (!may(context.role, 'manage-sso')) throw noSuchPage();
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, `${SSO}/new`);
    const protocol = protocolOf(visit.query.get('kind') ?? '');
    if (!protocol) return page(pages.chooseKind(frameOf(world, visit, context), protocols));
    return page(pages.newConnection(frameOf(world, visit, context), { protocol, fields: pages.emptyFields(protocol) }));
  });
  web.post(
    `${SSO}/new`,
    change(world, { ...manages, back: () => `${SSO}/new` }, async (visit, context) => {
      const protocol = protocolOf(visit.field('kind'));
      if (!protocol) throw noSuchPage();
      const fields = readFields(visit, protocol);
      const added = await addConnection(world, actorOf(visit, context), protocol.kind, fields);
      if (added.ok) return done(visit, context, protocol.way === 'password' ? 'sso-added-directory' : 'sso-added', `${SSO}/${added.id}`);
      return page(pages.newConnection(frameOf(world, visit, context), { protocol, fields, ...refusalOf(added) }), 422);
    }),
  );
  mountDomains(web, world);
  mountOne(web, world);
  mountTesting(web, world);
}

async function showAll(world: World, visit: Visit, context: Console, refused?: string): Promise<Answer> {
  const { id } = context.organisation;
  const { query } = world.database;
  const shown = { connections: await listConnections(world, query, id), domains: await listDomains(query, id), refused };
  return page(pages.overview(frameOf(world, visit, context), shown), refused === undefined ? 200 : 422);
}

function mountDomains(web: Web<Console>, world: World): void {
  const mount = (verb: string, notice: string, work: (visit: Visit, context: Console) => Promise<DomainChanged>): void =>
    web.post(
      `${SSO}/domains/${verb}`,
      change(world, { ...manages, back: () => SSO }, async (visit, context) => {
        const changed = await work(visit, context);
        return changed.ok ? done(visit, context, notice, SSO) : showAll(world, visit, context, domainSentence(changed));
      }),
    );
  mount('add', 'domain-added', (visit, context) => addDomain(world, actorOf(visit, context), visit.field('domain')));
  mount('check', 'domain-verified', (visit, context) => checkDomain(world, actorOf(visit, context), visit.field('domain')));
  mount('remove', 'domain-removed', (visit, context) => removeDomain(world, actorOf(visit, context), visit.field('domain')));
  mount('lead', 'domain-led', (visit, context) => {
    const to = visit.field('connection');
    return leadDomain(world, actorOf(visit, context), { domain: visit.field('domain'), connectionId: to === '' ? null : to });
  });
  for (const verb of ['add', 'check', 'remove', 'lead']) web.get(`${SSO}/domains/${verb}`, async (_visit, context) => redirect(addressIn(context, SSO)));
}

function domainSentence(changed: Exclude<DomainChanged, { ok: true }>): string {
  switch (changed.reason) {
    case 'domain':
      return 'Enter a domain such as example.org, as it stands behind the @ of your people’s addresses.';
    case 'named-already':
      return 'This domain is in the list already.';
    case 'too-many':
      return 'There are too many domains in the list. Remove one that is not used.';
    case 'no-record':
      return changed.found === 0
        ? 'The record is not there yet. New records can take an hour to be seen; check again then.'
        : 'There is a record, and it says something else. Compare it with the one below, and check again.';
    case 'no-answer':
      return `The name server could not be asked. ${changed.detail} Check again in a while.`;
    case 'taken':
      return 'Another organisation of this portal has shown that this domain is its own. Ask whoever runs the portal.';
    case 'not-verified':
      return 'Verify the domain first.';
    case 'not-found':
    case 'not-allowed':
      throw noSuchPage();
  }
}

function mountOne(web: Web<Console>, world: World): void {
  const address = `${SSO}/:id`;
  const back = (visit: Visit) => `${SSO}/${visit.parameters['id']}`;
  web.get(address, async (visit, context) => showOne(world, visit, context, {}));
  web.post(
    address,
    change(world, { ...manages, back }, async (visit, context) => {
      const connection = await connectionOf(world, visit, context);
      const fields = readFields(visit, protocolOf(connection.kind)!);
      const changed = await changeConnection(world, actorOf(visit, context), { id: connection.id, seen: Number(visit.field('seen')) }, fields);
      if (changed.ok) return done(visit, context, 'sso-changed', back(visit));
      return showOne(world, visit, context, { fields, ...refusalOf(changed) });
    }),
  );
  const mount = (to: ConnectionState): void =>
    web.post(
      `${address}/${to}`,
      change(world, { ...manages, back }, async (visit, context) => {
        const set = await setConnection(world, actorOf(visit, context), { id: visit.parameters['id']!, seen: Number(visit.field('seen')), to });
        return set.ok ? done(visit, context, `sso-${to}`, back(visit)) : showOne(world, visit, context, refusalOf(set));
      }),
    );
  for (const to of ['on', 'off', 'required', 'optional'] as const) mount(to);
  web.post(
    `${address}/remove`,
    change(world, { ...manages, back }, async (visit, context) => {
      const removed = await removeConnection(world, actorOf(visit, context), visit.parameters['id']!);
      if (!removed.ok) throw noSuchPage();
      return done(visit, context, 'sso-removed', SSO);
    }),
  );
  for (const verb of ['on', 'off', 'required', 'optional', 'remove'])
    web.get(`${address}/${verb}`, async (visit, context) => redirect(addressIn(context, back(visit))));
}

function readFields(visit: Visit, protocol: AnyProtocol): ConnectionFields {
  const read = (name: string): string => visit.field(name, SETTING_BYTES_MOST).replaceAll('\r\n', '\n');
  const settings = protocol.fields.map(({ name, kind }): [string, unknown] => {
    const text = read(name);
    if (kind === 'check') return [name, text !== ''];
    return [name, kind === 'lines' ? linesOf(text) : text.trim()];
  });
  return {
    name: visit.field('name'),
    settings: Object.fromEntries(settings),
    trustsAddresses: visit.field('trustsAddresses') !== '',
    secondFactorWords: protocol.way === 'password' || visit.field('trustsSecondFactor') === '' ? [] : linesOf(read('secondFactorWords')),
  };
}

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function refusalOf(changed: Exclude<ConnectionChanged, { ok: true }>): { mistakes: Readonly<Record<string, string>> } | { refused: string } {
  switch (changed.reason) {
    case 'mistakes':
      return { mistakes: changed.mistakes };
    case 'changed-meanwhile':
      return { refused: 'Somebody else changed this connection in the meantime. This is how it is now; make your change again.' };
    case 'too-many':
      return { refused: 'There are too many connections. Remove one that is not used.' };
    case 'not-tested':
      return { refused: 'Test the connection first: one that does not work would keep everybody out.' };
    case 'no-domain':
      return { refused: 'Lead a verified domain to it first: without one nobody comes by it.' };
    case 'no-password':
      return {
        refused:
          'Choose a password of your own first, by “Forgot password?” on the sign-in page: with it and a second factor you get in where the provider is down.',
      };
    case 'turned-off':
      return { refused: 'Turn it on first.' };
    case 'not-found':
    case 'not-allowed':
      throw noSuchPage();
  }
}
