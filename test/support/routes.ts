import type { FastifyInstance } from 'fastify';

export interface Route<Method extends string = 'GET' | 'POST'> {
  readonly method: Method;
  /** As it was mounted: `/account/security/methods/:id`. */
  readonly path: string;
}

const API = '/api/v1/';
/** For directories. */
const SCIM = '/scim/v2/';
/** What Envoy asks, in whatever method the request has that it holds; as the router shows it. test/attacks/apps.test.ts asks it all. */
const PROXIES = '/forward-auth*';

/** Every page and form of the app, read from its router, so that what was mounted yesterday is in today's matrix. Assets are left out, and what is for programs. */
export function routesOf(app: FastifyInstance): Route[] {
  return allRoutes(app)
    .filter(({ path }) => !path.startsWith('/assets/') && !path.startsWith(API) && !path.startsWith(SCIM) && path !== PROXIES)
    .map(({ method, path }) => {
      if (method !== 'GET' && method !== 'POST') throw new Error(`${method} ${path}: only GET and POST are known here.`);
      return { method, path };
    });
}

/** Every operation of the API. */
export const apiRoutesOf = (app: FastifyInstance): Route<string>[] => allRoutes(app).filter(({ path }) => path.startsWith(API));

/** All that a directory can ask. */
export const scimRoutesOf = (app: FastifyInstance): Route<string>[] => allRoutes(app).filter(({ path }) => path.startsWith(SCIM));

function allRoutes(app: FastifyInstance): Route<string>[] {
  const routes: Route<string>[] = [];
  const above: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const found = /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!found) {
      if (line.trim() !== '') throw new Error(`The router shows what this does not read: ${line}`);
      continue;
    }
    const [, indent, part, methods] = found as unknown as [string, string, string, string | undefined];
    const depth = indent.length / 4;
    const path = above.slice(0, depth).join('') + part;
    above.splice(depth, Infinity, part);
    for (const method of methods?.split(', ') ?? []) {
      if (method !== 'HEAD') routes.push({ method, path });
    }
  }
  return routes;
}
