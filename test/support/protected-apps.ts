/**
 * A portal and two apps behind one reverse proxy, by https, as an operator sets them up: the proxy is configured by the very lines of docs/forward-auth.md and
 * README.md, in which only addresses and certificates are others. Which proxy that is, is the test's choice; where the machine has no nginx, a stand-in of ours reads its lines.
 *   await using stage = await setUp(PROXIES[0]!);
 *   await page.goto(`${stage.wiki}/page`);
 */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { localhostCertificate } from './localhost-certificate.ts';
import { CADDY, NGINX, startCaddy, startNginx, type Place } from './nginx.ts';
import { startStandIn } from './nginx-stand-in.ts';
import { freePort } from './ports.ts';
import { servePortal, type ServedPortal } from './served-portal.ts';

export interface ReverseProxy {
  readonly name: string;
  /** What it answers with where it can't ask. */
  readonly whereDown: number;
  readonly start: (ports: Ports, place: Place) => Promise<AsyncDisposable>;
}

interface Ports {
  readonly portal: number;
  readonly app: number;
}

const nginx: ReverseProxy = {
  name: NGINX === undefined ? 'a stand-in for nginx' : 'nginx',
  whereDown: 500,
  start: (ports, place) => (NGINX === undefined ? startStandIn(nginxServers(ports, place)) : startNginx(nginxServers(ports, place), place)),
};
const caddy: ReverseProxy = { name: 'Caddy', whereDown: 502, start: (ports, place) => startCaddy(caddySites(ports, place), place) };

export const PROXIES: readonly ReverseProxy[] = CADDY === undefined ? [nginx] : [nginx, caddy];

/** What an app that answers with what it got was asked. */
export interface Echo {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Stage extends AsyncDisposable {
  readonly portal: ServedPortal;
  /** Their origins. */
  readonly wiki: string;
  readonly camera: string;
  stopPortal(): Promise<void>;
  /** One request by a program, which follows nothing. */
  ask(
    origin: string,
    path: string,
    options?: { method?: string; headers?: Record<string, string> },
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;
}

export async function setUp({ start }: Pick<ReverseProxy, 'start'>): Promise<Stage> {
  const directory = mkdtempSync(path.join(tmpdir(), 'twinlock-proxy-'));
  // nginx gives up root before it reads.
  chmodSync(directory, 0o755);
  writeFileSync(path.join(directory, 'certificate.pem'), localhostCertificate.certificate);
  writeFileSync(path.join(directory, 'certificate.key'), localhostCertificate.key);
  const port = await freePort();
  const at = (name: string) => `https://${name}.localhost:${port}`;
  const app = createServer((asked, response) => void echo(asked).then((text) => response.end(text)));
  const portal = await servePortal({ behind: at('login'), trustedProxies: ['127.0.0.1'] });
  let stopped = false;
  const stopPortal = async () => {
    if (!stopped) await portal[Symbol.asyncDispose]();
    stopped = true;
  };
  const proxy = await start({ portal: portal.port, app: await listen(app) }, { directory, port });
  return {
    portal,
    wiki: at('wiki'),
    camera: at('camera'),
    stopPortal,
    ask: (origin, url, options) => ask(new URL(origin), url, options),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      app.closeAllConnections();
      app.close();
      await stopPortal();
      rmSync(directory, { recursive: true });
    },
  };
}

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const blockOf = (file: string, language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(read(file))![1]!;

function nginxServers({ portal, app }: Ports, { directory, port }: Place): string {
  const server = (block: string, name: string) =>
    block
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace(/server_name .*;/, `server_name ${name}.localhost;`)
      .replace(/(ssl_certificate +).*;/, `$1${directory}/certificate.pem;`)
      .replace(/(ssl_certificate_key +).*;/, `$1${directory}/certificate.key;`)
      .replaceAll(/(?:127\.0\.0\.1|localhost):3000/g, `127.0.0.1:${portal}`)
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`);
  const protecting = blockOf('docs/forward-auth.md', 'nginx');
  return [server(blockOf('README.md', 'nginx'), 'login'), server(protecting, 'wiki'), server(protecting, 'camera')].join('\n');
}

function caddySites({ portal, app }: Ports, { directory, port }: Place): string {
  const certificate = `tls ${directory}/certificate.pem ${directory}/certificate.key`;
  const site = (name: string) =>
    blockOf('docs/forward-auth.md', 'caddy')
      .replace('wiki.example.org {', `https://${name}.localhost:${port} {\n  ${certificate}`)
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${portal}`)
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${app}`);
  return `https://login.localhost:${port} {\n  ${certificate}\n  reverse_proxy 127.0.0.1:${portal}\n}\n${site('wiki')}${site('camera')}`;
}

async function echo(asked: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of asked.setEncoding('utf8')) body += String(part);
  return JSON.stringify({ url: asked.url, method: asked.method, headers: asked.headers, body });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(
  { host, hostname, port }: URL,
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  // By address: below localhost programs find no names, as browsers do.
  const asking = request({ host: '127.0.0.1', servername: hostname, port, path: url, method, headers: { host, ...headers }, rejectUnauthorized: false });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += String(part);
  return { status: response.statusCode!, headers: response.headers, body };
}
