// One connection's page, which several forms answer with.
import { page, type Answer, type Visit } from '../platform/http/visit.ts';
import { noSuchPage } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { countByPassword, findConnectionOf, listDomains, protocolOf, type Connection, type ConnectionFields } from '../sso/sso.ts';
import { frameOf, type Console } from './console.ts';
import * as pages from './sso-pages.ts';

export const SSO = '/admin/sso';

export async function connectionOf(world: World, visit: Visit, { organisation }: Console): Promise<Connection> {
  const connection = await findConnectionOf(world, world.database.query, organisation.id, visit.parameters['id']!);
  if (!connection) throw noSuchPage();
  return connection;
}

export async function showOne(
  world: World,
  visit: Visit,
  context: Console,
  said: { fields?: ConnectionFields; mistakes?: Readonly<Record<string, string>>; refused?: string },
): Promise<Answer> {
  const connection = await connectionOf(world, visit, context);
  const protocol = protocolOf(connection.kind)!;
  const domains = (await listDomains(world.database.query, context.organisation.id)).filter(({ connectionId }) => connectionId === connection.id);
  const wrong = said.mistakes !== undefined || said.refused !== undefined;
  const byPassword = await countByPassword(world.database.query, connection);
  return page(pages.connection(frameOf(world, visit, context), { connection, protocol, domains, byPassword, ...said }), wrong ? 422 : 200);
}
