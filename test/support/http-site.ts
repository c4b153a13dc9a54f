import { Agent, request as httpRequest } from 'node:http';
import type { InjectOptions } from 'fastify';
import type { Site } from './visitor.ts';

const CONNECTIONS_MOST = 64;

/** A portal that listens on a port of this machine, as a proxy on this machine passes requests on to it. Rejects where the connection breaks. */
export function siteAt(port: number): Site & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MOST });
  return { inject: (asked) => send(asked, { port, agent }), close: () => agent.destroy() };
}

function send(asked: InjectOptions, { port, agent }: { port: number; agent: Agent }): ReturnType<Site['inject']> {
  const { method = 'GET', url, headers = {}, payload, remoteAddress } = asked;
  if (typeof url !== 'string' || (payload !== undefined && typeof payload !== 'string')) throw new TypeError('Only plain addresses and bodies.');
  const passedOn = { ...headers, ...(remoteAddress === undefined ? {} : { 'x-forwarded-for': remoteAddress }), connection: 'keep-alive' };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, method, path: url, agent, headers: passedOn as Record<string, string> }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ statusCode: response.statusCode!, headers: response.headers, body }));
      response.on('error', reject);
    });
    sent.on('error', reject).end(payload);
  });
}
