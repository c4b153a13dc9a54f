/**
 * The load generator, a process of its own: takes one job at a time from its parent and answers with how long each try took.
 * An answer that is not the expected one ends the job with an error: what fails fast must not count as fast.
 */
import { performance } from 'node:perf_hooks';
import { generateSync } from 'otplib';
import { Connection, type HttpAnswer } from './connection.ts';
import { APP_HOST, type HalfWay, type PersonOnFile, type Visitor } from './people.ts';

interface Job {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Tries that come first and are not counted. */
  readonly warmUp: number;
  readonly work:
    | { readonly kind: 'bare' }
    | { readonly kind: 'session checks' | 'forward-auth checks'; readonly visitors: readonly Visitor[] }
    | { readonly kind: 'second-factor checks'; readonly people: readonly HalfWay[] }
    | { readonly kind: 'sign-ins'; readonly people: readonly PersonOnFile[] };
}

interface Measured {
  readonly perSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly count: number;
}

/** What a job comes to; sent back to the parent. */
export type Outcome = { readonly ok: true; readonly measured: Measured } | { readonly ok: false; readonly reason: string };
export type { Job, Measured };

/** One try by one visitor. */
type Try = (connection: Connection, number: number) => Promise<void>;

const ORIGIN = 'https://login.example.org';

async function run({ port, connections, seconds, warmUp, work }: Job): Promise<Measured> {
  const { attempt, most } = triesOf(work);
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  let next = 0;
  await Promise.all(
    open.map(async (connection) => {
      while (next < warmUp) await attempt(connection, next++);
    }),
  );
  const durations: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  await Promise.all(
    open.map(async (connection) => {
      for (let at = performance.now(); at < endsAt && next < most;) {
        await attempt(connection, next++);
        const done = performance.now();
        durations.push(done - at);
        at = done;
      }
    }),
  );
  const took = performance.now() - startedAt;
  for (const connection of open) connection.close();
  return summed(durations, took);
}

function summed(durations: number[], tookMilliseconds: number): Measured {
  const sorted = Float64Array.from(durations).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { perSecond: (durations.length / tookMilliseconds) * 1000, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99), count: durations.length };
}

/** `most`: how many tries there is somebody for. A code serves once, so nobody signs in twice. */
function triesOf(work: Job['work']): { attempt: Try; most: number } {
  switch (work.kind) {
    case 'bare': {
      const request = get('/', { address: '192.0.2.1', cookies: { browser: 'x'.repeat(43), session: 'x'.repeat(43) } });
      return { most: Infinity, attempt: async (connection) => void expect(await connection.send(request), 200) };
    }
    case 'session checks': {
      const requests = work.visitors.map(({ browserToken, sessionToken, address }) =>
        get('/account', { address, cookies: { browser: browserToken, session: sessionToken } }),
      );
      return { most: Infinity, attempt: async (connection, number) => void expect(await connection.send(requests[number % requests.length]!), 200) };
    }
    case 'forward-auth checks': {
      // As nginx asks, see docs/forward-auth.md.
      const asked = `X-Original-URL: https://${APP_HOST}/page?q=1\r\nX-Original-Method: GET\r\n`;
      const requests = work.visitors.map(
        ({ appToken, address }) =>
          `GET /forward-auth HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nX-Forwarded-For: ${address}\r\n${asked}Cookie: __Host-twinlock-app=${appToken}\r\n\r\n`,
      );
      return { most: Infinity, attempt: async (connection, number) => void expect(await connection.send(requests[number % requests.length]!), 200) };
    }
    case 'second-factor checks':
      return { most: work.people.length, attempt: (connection, number) => answerCode(connection, work.people[number]!) };
    case 'sign-ins':
      return { most: work.people.length, attempt: (connection, number) => signIn(connection, work.people[number]!) };
  }
}

/** One request: the code, for somebody who has shown the password. */
async function answerCode(connection: Connection, { secret, address, browserToken, attemptToken, formToken }: HalfWay): Promise<void> {
  const cookies = { browser: browserToken, attempt: attemptToken };
  const fields = { form_token: formToken, code: generateSync({ secret }) };
  const answer = expect(await connection.send(post('/sign-in/verify', { address, cookies, fields })), 303, '/');
  cookieIn(answer, 'session');
}

/** Five requests, as a browser sends them that was here before: the page, the password, the page for the code, the code, and in. */
async function signIn(connection: Connection, { email, password, secret, address, browserToken }: PersonOnFile): Promise<void> {
  const browser = { browser: browserToken };
  const start = expect(await connection.send(get('/sign-in', { address, cookies: browser })), 200);
  const form_token = /name="form_token" value="([^"]+)"/.exec(start.body)?.[1] ?? '';
  const passed = await connection.send(post('/sign-in', { address, cookies: browser, fields: { form_token, email, password, then: '' } }));
  const half = { ...browser, attempt: cookieIn(expect(passed, 303, '/sign-in/verify'), 'attempt') };
  expect(await connection.send(get('/sign-in/verify', { address, cookies: half })), 200);
  const fields = { form_token, code: generateSync({ secret }) };
  const entered = expect(await connection.send(post('/sign-in/verify', { address, cookies: half, fields })), 303, '/');
  expect(await connection.send(get('/account', { address, cookies: { ...browser, session: cookieIn(entered, 'session') } })), 200);
}

interface Request {
  readonly address: string;
  readonly cookies: Readonly<Record<string, string>>;
}

function get(path: string, request: Request): string {
  return `GET ${path} HTTP/1.1\r\n${headers(request)}\r\n`;
}

function post(path: string, { fields, ...request }: Request & { fields: Readonly<Record<string, string>> }): string {
  const body = new URLSearchParams(fields).toString();
  const about = `Origin: ${ORIGIN}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n`;
  return `POST ${path} HTTP/1.1\r\n${headers(request)}${about}\r\n${body}`;
}

/** What a browser says, as the proxy in front passes it on. */
function headers({ address, cookies }: Request): string {
  const cookie = Object.entries(cookies).map(([name, value]) => `__Host-twinlock-${name}=${value}`);
  return [
    `Host: ${ORIGIN.slice('https://'.length)}`,
    `X-Forwarded-For: ${address}`,
    'X-Forwarded-Proto: https',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-US,en;q=0.5',
    'Sec-Fetch-Site: same-origin',
    `Cookie: ${cookie.join('; ')}`,
  ]
    .map((line) => `${line}\r\n`)
    .join('');
}

function expect(answer: HttpAnswer, status: number, location?: string): HttpAnswer {
  if (answer.status !== status || (location !== undefined && !answer.head.includes(`\r\nlocation: ${location}\r\n`)))
    throw new Error(`Expected ${status} ${location ?? ''}, and this came:\n${answer.head}\n\n${answer.body.slice(0, 2000)}`);
  return answer;
}

function cookieIn({ head }: HttpAnswer, name: string): string {
  const value = new RegExp(`\r\nset-cookie: __Host-twinlock-${name}=([\\w-]+)`, 'i').exec(head)?.[1];
  if (value === undefined) throw new Error(`No cookie '${name}' came:\n${head}`);
  return value;
}

process.on('message', (job: Job) => {
  run(job).then(
    (measured) => process.send!({ ok: true, measured } satisfies Outcome),
    (error: unknown) => process.send!({ ok: false, reason: String(error) } satisfies Outcome),
  );
});
