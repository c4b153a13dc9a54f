/** A real nginx and a real Caddy, where the machine has one or scripts/fetch-proxies brought it; `NGINX` and `CADDY` name other places. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';

const found = (...places: readonly (string | undefined)[]): string | undefined => places.find((file) => file !== undefined && existsSync(file));

const FETCHED = new URL('../../node_modules/.cache/proxies/', import.meta.url).pathname;

export const NGINX = found(process.env['NGINX'], `${FETCHED}usr/sbin/nginx`, '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx');
export const CADDY = found(process.env['CADDY'], `${FETCHED}usr/bin/caddy`, '/usr/bin/caddy', '/usr/local/bin/caddy');

export interface Place {
  /** Its own, to write to. */
  readonly directory: string;
  /** Of 127.0.0.1, where it will listen. */
  readonly port: number;
}

export function startNginx(servers: string, { directory, port }: Place): Promise<AsyncDisposable> {
  const file = path.join(directory, 'nginx.conf');
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${directory}/${one};`).join(' ');
  writeFileSync(
    file,
    `pid ${directory}/pid; worker_processes 1; daemon off; master_process off;
events { worker_connections 64; }
http { access_log off; ${places}
${servers}}
`,
  );
  return start(NGINX!, ['-c', file, '-p', directory, '-e', path.join(directory, 'error.log')], port);
}

export function startCaddy(sites: string, { directory, port }: Place): Promise<AsyncDisposable> {
  const file = path.join(directory, 'Caddyfile');
  writeFileSync(file, `{\n  admin off\n  auto_https disable_redirects\n  default_bind 127.0.0.1\n}\n${sites}`);
  return start(CADDY!, ['run', '--config', file, '--adapter', 'caddyfile'], port, { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory });
}

async function start(program: string, words: readonly string[], port: number, environment: Record<string, string> = {}): Promise<AsyncDisposable> {
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  while (!(await answers(port))) if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      if (child.exitCode === null) await ended;
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
  socket.destroy();
  return open;
}
