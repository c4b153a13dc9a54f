/**
 * A program that uses the API with a key, as a script of an integrator does, in process.
 *   const program = new Program(portal, await makeKey(portal, owner, { scopes: ['people:read'] }));
 *   const { status, json } = await program.get('/people?limit=2');
 * Every problem that it gets is held against RFC 9457.
 */
import assert from 'node:assert/strict';
import type { Scope } from '../../src/sessions/sessions.ts';
import { confirmIfAsked } from './organisation.ts';
import type { Person } from './person.ts';
import type { Portal } from './portal.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Undefined where there is no body. */
  readonly json: Record<string, unknown> | undefined;
}

interface ProblemSent {
  readonly code: string;
  readonly status: number;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly detail: string }[];
}

export class Program {
  /** From where it asks. */
  address = '198.51.100.7';
  readonly #portal: Portal;
  readonly #key: string | undefined;

  /** Without a key it asks all the same. */
  constructor(portal: Portal, key: string | undefined) {
    this.#portal = portal;
    this.#key = key;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answered> {
    return this.ask('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    return this.ask('POST', path, body, headers);
  }

  delete(path: string, headers: Record<string, string> = {}): Promise<Answered> {
    return this.ask('DELETE', path, undefined, headers);
  }

  /** `body`: a string or bytes go as they are; anything else as JSON. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const payload = body === undefined || typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body);
    const response = await this.#portal.send({
      method,
      url: path.startsWith('/api/') ? path : `/api/v1${path}`,
      remoteAddress: this.address,
      headers: {
        'user-agent': 'sync/1.0',
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    const type = String(response.headers['content-type'] ?? '');
    const json = /^application\/(?:problem\+)?json\b/.test(type) && response.body !== '' ? (JSON.parse(response.body) as Record<string, unknown>) : undefined;
    if (response.statusCode >= 400 && method !== 'HEAD') checkProblem(response.statusCode, type, json);
    assert.equal(response.headers['set-cookie'], undefined, 'No cookie is given to a program.');
    return { status: response.statusCode, headers: response.headers, body: response.body, json };
  }
}

/** Of an answer that is a problem. */
export const problemOf = ({ status, json }: Answered): ProblemSent => {
  assert.ok(status >= 400, `${status} is no problem.`);
  return json as unknown as ProblemSent;
};

function checkProblem(status: number, type: string, json: Record<string, unknown> | undefined): void {
  assert.match(type, /^application\/problem\+json\b/);
  assert.ok(json);
  assert.equal(json['status'], status);
  assert.match(String(json['type']), new RegExp(`^https?://[^/]+/api/docs#problem-${String(json['code'])}$`));
  assert.match(String(json['title']), /^[A-Z][^.]+$/);
  assert.match(String(json['detail']), /^[A-Z].*\.$/);
  assert.match(String(json['requestId']), /^[\w-]{12}$/);
}

export interface KeyOptions {
  readonly name?: string;
  readonly role?: 'Admin' | 'Auditor';
  readonly scopes?: readonly Scope[];
  readonly days?: number;
}

/** By the page of the console, with a fresh proof. The key is what the page shows. */
export async function makeKey(
  { browser, password }: Person,
  { name = 'HR sync', role = 'Admin', scopes = ['people:read', 'people:write'], days = 90 }: KeyOptions = {},
): Promise<string> {
  await browser.visit('/admin/api-keys/new');
  await confirmIfAsked(browser, password);
  browser.fill('Name', name);
  browser.fill('Acts as', role);
  for (const scope of scopes) browser.check(scope);
  browser.fill('Days until it expires', String(days));
  await browser.press('Create API key');
  const key = /\btwl_[0-9a-f]{64}\b/.exec(browser.page.text)?.[0];
  if (key === undefined) throw new Error(`No key was shown: ${browser.page.text}`);
  return key;
}
