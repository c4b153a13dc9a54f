/**
 * A reverse proxy for machines without nginx: it reads the very lines of the guides and does what nginx's own documentation says that they do
 * (ngx_http_core_module, ngx_http_proxy_module, ngx_http_auth_request_module). It knows the directives that stand there and no others: one that is new there
 * throws, until it is written here. The tests that run over it run over a real nginx too, where there is one.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as askByHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import path from 'node:path';

/** `['location', '=', '/x']` and what stands in its braces, if it has any. */
interface Directive {
  readonly words: readonly string[];
  readonly block: readonly Directive[];
}

export function parseNginx(text: string): Directive[] {
  const tokens = text.replaceAll(/#.*/g, '').match(/"[^"]*"|[{};]|[^\s{};"]+/g) ?? [];
  let at = 0;
  const block = (): Directive[] => {
    const directives: Directive[] = [];
    let words: string[] = [];
    for (; at < tokens.length && tokens[at] !== '}'; at += 1) {
      const token = tokens[at]!;
      if (token === '{') {
        at += 1;
        directives.push({ words, block: block() });
        words = [];
      } else if (token === ';') {
        directives.push({ words, block: [] });
        words = [];
      } else words.push(token.replace(/^"(.*)"$/, '$1'));
    }
    return directives;
  };
  return block();
}

const KNOWN_IN_SERVER = ['listen', 'server_name', 'ssl_certificate', 'ssl_certificate_key', 'location'];
const KNOWN_IN_LOCATION = [
  'internal',
  'proxy_pass',
  'proxy_pass_request_body',
  'proxy_set_header',
  'auth_request',
  'auth_request_set',
  'error_page',
  'add_header',
  'return',
  'default_type',
];

const all = (directives: readonly Directive[], name: string): (readonly string[])[] =>
  directives.filter(({ words }) => words[0] === name).map(({ words }) => words.slice(1));
const one = (directives: readonly Directive[], name: string): readonly string[] | undefined => all(directives, name)[0];

/** Listens, by TLS, where the first server says. */
export async function startStandIn(configuration: string): Promise<AsyncDisposable> {
  const servers = parseNginx(configuration).map(({ words, block }) => {
    assert.deepEqual(words, ['server']);
    for (const { words: inside, block: within } of block) {
      assert.ok(KNOWN_IN_SERVER.includes(inside[0]!), `What nginx makes of '${inside.join(' ')}' is not known here.`);
      for (const { words: deep } of within) assert.ok(KNOWN_IN_LOCATION.includes(deep[0]!), `What nginx makes of '${deep.join(' ')}' is not known here.`);
    }
    return { name: one(block, 'server_name')![0]!, block };
  });
  const first = servers[0]!.block;
  const [address, port] = one(first, 'listen')![0]!.split(':') as [string, string];
  const certificate = { cert: readFileSync(one(first, 'ssl_certificate')![0]!), key: readFileSync(one(first, 'ssl_certificate_key')![0]!) };
  const listening = createServer(certificate, (request, response) => {
    // A request for a whole address (RFC 9112, 3.2.2) is served by its host, whatever the header says; $http_host is the header all the same.
    const whole = /^https?:\/\/([^/?#]*)(.*)$/.exec(request.url!);
    if (whole) request.url = whole[2]!.startsWith('/') ? whole[2]! : `/${whole[2]!}`;
    const host = (whole?.[1] ?? request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    if (/[/\\]/.test(request.headers.host ?? '')) return void response.writeHead(400).end();
    const server = servers.find(({ name }) => name === host) ?? servers[0]!;
    serve(server.block, { request, host }, response).catch(() => response.writeHead(500).end());
  });
  listening.listen(Number(port), address);
  await once(listening, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections();
      listening.close();
      await once(listening, 'close');
    },
  };
}

type Variables = Map<string, string>;

async function serve(server: readonly Directive[], { request, host }: { request: IncomingMessage; host: string }, response: ServerResponse): Promise<void> {
  const locations = server.filter(({ words }) => words[0] === 'location').map(({ words, block }) => ({ name: words.slice(1).join(' '), block }));
  const named = (name: string) => locations.find((location) => location.name === name);
  // Locations are held against the path as it is once it is decoded and its dots are resolved; what is passed on is as it came.
  const plain = path.posix.normalize(decodeURIComponent(request.url!.split('?')[0]!));
  const location = named(`= ${plain}`) ?? named('/')!;
  if (one(location.block, 'internal')) return void response.writeHead(404).end();
  const variables = variablesOf(request, { host, server });

  const asked = one(location.block, 'auth_request')?.[0];
  if (asked !== undefined) {
    const answer = await ask(named(`= ${asked}`)!.block, request, variables).catch(() => undefined);
    answer?.resume();
    const upstream = (name: string) => [answer?.headers[name.replaceAll('_', '-')] ?? ''].flat()[0]!;
    for (const [variable = '', value = ''] of all(location.block, 'auth_request_set'))
      variables.set(
        variable,
        value.replace(/\$upstream_http_(\w+)/, (_, name: string) => upstream(name)),
      );
    const status = answer?.statusCode ?? 502;
    if (status === 401 || status === 403) return refuse(location.block, { status, named, variables }, response);
    if (status < 200 || status > 299) return void response.writeHead(500).end();
  }
  const upstream = await pass(location.block, request, variables, { body: true, url: request.url! }).catch(() => undefined);
  if (!upstream) return void response.writeHead(502).end();
  response.writeHead(upstream.statusCode!, upstream.headers);
  upstream.pipe(response);
}

function refuse(
  location: readonly Directive[],
  { status, named, variables }: { status: number; named: (name: string) => { block: readonly Directive[] } | undefined; variables: Variables },
  response: ServerResponse,
): void {
  const page = all(location, 'error_page').find(([code]) => code === String(status));
  if (!page) return void response.writeHead(status, { 'content-type': 'text/html' }).end(`<h1>${status}</h1>`);
  // `error_page 401 = @name`: the named location answers, with a status of its own.
  const { block } = named(page[2]!)!;
  const [code, text] = one(block, 'return')!;
  for (const [name, value] of all(block, 'add_header')) {
    const shown = valueOf(value!, variables);
    // A header without a value is not added.
    if (shown !== '') response.setHeader(name!, shown);
  }
  if (code!.startsWith('3')) return void response.writeHead(Number(code), { location: valueOf(text!, variables) }).end();
  response.writeHead(Number(code), { 'content-type': one(block, 'default_type')?.[0] ?? 'text/plain' }).end(valueOf(text!, variables));
}

/** The question has no body and no arguments of its own; it goes by GET. */
const ask = (location: readonly Directive[], request: IncomingMessage, variables: Variables): Promise<IncomingMessage> =>
  pass(location, request, variables, { body: one(location, 'proxy_pass_request_body')?.[0] !== 'off', url: '', method: 'GET' });

async function pass(
  location: readonly Directive[],
  request: IncomingMessage,
  variables: Variables,
  { body, url, method = request.method! }: { body: boolean; url: string; method?: string },
): Promise<IncomingMessage> {
  const to = new URL(one(location, 'proxy_pass')![0]!);
  const [, query] = url.split(/(?=\?)/, 2);
  const hasPath = /^\w+:\/\/[^/]+\//.test(one(location, 'proxy_pass')![0]!);
  const headers = passedOn(request);
  const set = all(location, 'proxy_set_header');
  for (const [name = '', value = ''] of [['Host', to.host], ['Connection', 'close'], ...set]) {
    const text = valueOf(value, variables);
    // One that is set to nothing is not passed on.
    if (text === '') headers.delete(name.toLowerCase());
    else headers.set(name.toLowerCase(), text);
  }
  const sent = askByHttp({
    host: to.hostname,
    port: to.port,
    method,
    path: hasPath ? to.pathname + (query ?? '') : url,
    headers: Object.fromEntries(headers),
  });
  if (body) request.pipe(sent);
  else sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** `ignore_invalid_headers on; underscores_in_headers off`, as it is unless told: what is not of letters, digits and dashes is dropped. */
function passedOn({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!/^[a-z\d-]+$/.test(name) || name === 'keep-alive') continue;
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${rawHeaders[at + 1]}` : rawHeaders[at + 1]!);
  }
  return headers;
}

function variablesOf({ headers, method, url, socket }: IncomingMessage, { host, server }: { host: string; server: readonly Directive[] }): Variables {
  return new Map([
    ['$scheme', 'https'],
    ['$http_host', headers.host ?? ''],
    ['$host', host],
    ['$server_name', one(server, 'server_name')![0]!],
    ['$server_port', String(socket.localPort)],
    ['$request_uri', url!],
    ['$request_method', method!],
    ['$remote_addr', socket.remoteAddress!],
  ]);
}

function valueOf(text: string, variables: Variables): string {
  return text.replace(/\$\w+/g, (name) => {
    const value = variables.get(name);
    assert.ok(value !== undefined, `The variable ${name} is not known here.`);
    return value;
  });
}
