/**
 * A real nginx before a real app, configured by the very lines of docs/forward-auth.md: only addresses and certificates are others. Where the machine has none
 * (Debian: apt-get install nginx) it is undefined; `NGINX` names another place.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { connect, createServer as createSocketServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const GUIDE = new URL('../../docs/forward-auth.md', import.meta.url);

export const NGINX = [process.env['NGINX'], '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find(
  (file) => file !== undefined && existsSync(file),
);

export interface ProxiedApp extends AsyncDisposable {
  /** With the port. */
  readonly host: string;
  readonly origin: string;
  /** One request by a program, which follows nothing. */
  ask(path: string, options?: { method?: string; headers?: Record<string, string> }): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;
}

/** An app that answers with the headers that it got, at a host below localhost. */
export async function serveBehindNginx({ name, portalPort }: { name: string; portalPort: number }): Promise<ProxiedApp> {
  const app = createServer((asked, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: asked.url, method: asked.method, headers: asked.headers }));
  });
  const appPort = await listen(app);
  const port = await freePort();
  const directory = mkdtempSync(path.join(tmpdir(), 'twinlock-nginx-'));
  chmodSync(directory, 0o755);
  writeFileSync(path.join(directory, 'nginx.conf'), configuration({ directory, port, appPort, portalPort, name }));
  const child = spawn(NGINX!, ['-c', path.join(directory, 'nginx.conf'), '-p', directory, '-e', path.join(directory, 'error.log')], { stdio: 'ignore' });
  await answering(port);
  const host = `${name}.localhost:${port}`;
  return {
    host,
    origin: `http://${host}`,
    ask: (url, options) => ask({ port, host }, url, options),
    async [Symbol.asyncDispose]() {
      child.kill('SIGQUIT');
      if (child.exitCode === null) await once(child, 'exit');
      app.closeAllConnections();
      app.close();
      rmSync(directory, { recursive: true });
    },
  };
}

function configuration({
  directory,
  port,
  appPort,
  portalPort,
  name,
}: {
  directory: string;
  port: number;
  appPort: number;
  portalPort: number;
  name: string;
}): string {
  const server = /```nginx\n([^]*?)```/
    .exec(readFileSync(GUIDE, 'utf8'))![1]!
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
    .replace('wiki.example.org;', `${name}.localhost;`)
    .replaceAll(/^ *ssl_certificate.*\n/gm, '')
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${portalPort}`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${appPort}`);
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${directory}/${one};`).join(' ');
  return `pid ${directory}/pid; worker_processes 1; daemon off; master_process off;
events { worker_connections 64; }
http { access_log off; ${places}
${server}}
`;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function answering(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (open) return;
  }
}

async function ask(
  { port, host }: { port: number; host: string },
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  // By address: below localhost programs find no names, as browsers do.
  const asking = request({ host: '127.0.0.1', port, path: url, method, headers: { ...headers, host } });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += String(part);
  return { status: response.statusCode!, headers: response.headers, body };
}
