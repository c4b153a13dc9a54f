/**
 * A browser without a browser, and without JavaScript: it keeps cookies, follows redirects and fills forms in the app itself, in process.
 *   const ada = new Visitor(app);
 *   await ada.visit('/sign-in');
 *   ada.fill('Email', 'ada@example.org');
 *   await ada.press('Sign in');
 *   assert.equal(ada.page.heading, 'Check your email');
 * Every page that it gets is held against the HTML standard.
 */
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { CookieJar } from './cookie-jar.ts';
import { checkHtml } from './html-check.ts';
import { Page, type Near, type Submission } from './page.ts';

export interface VisitorOptions {
  readonly origin?: string;
  readonly userAgent?: string;
  readonly address?: string;
  /** Those of another tab of the same browser, see `tab`. */
  readonly cookies?: CookieJar;
  /** False where a test sends thousands of pages that other tests have checked. */
  readonly checkHtml?: boolean;
}

export interface Download {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** The hidden field of every form, see src/platform/http/web.ts. */
const FORM_TOKEN = 'form_token';
const REDIRECTS_MOST = 10;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** What answers: an app, or a portal that may be started again meanwhile. */
export type Site = { inject(request: InjectOptions): Promise<Pick<LightMyRequestResponse, 'statusCode' | 'headers' | 'body'>> };

export class Visitor {
  readonly cookies: CookieJar;
  userAgent: string;
  /** The IP address that requests come from. */
  address: string;
  /** The last file that a page handed over; the page stays, as in a browser. */
  download: Download | undefined;
  readonly #app: Site;
  readonly #options: VisitorOptions;
  readonly #origin: string;
  readonly #history: URL[] = [];
  #page: Page | undefined;
  #formToken: string | undefined;

  constructor(app: Site, { cookies = new CookieJar(), ...options }: VisitorOptions = {}) {
    this.#app = app;
    this.cookies = cookies;
    this.#options = options;
    this.#origin = options.origin ?? 'http://localhost:3000';
    this.userAgent = options.userAgent ?? FIREFOX;
    this.address = options.address ?? '192.0.2.10';
  }

  get page(): Page {
    if (!this.#page) throw new Error('Nothing was visited yet.');
    return this.#page;
  }

  /** Types an address in, or follows a link from a mail: absolute ones must be of this site. */
  visit(path: string): Promise<Page> {
    return this.#get(this.#resolve(path), 'none');
  }

  reload(): Promise<Page> {
    return this.#get(this.#current(), 'same-origin', { remember: false });
  }

  /** The back button, as it is where pages may not be cached: the page before is fetched anew. */
  back(): Promise<Page> {
    this.#history.pop();
    const before = this.#history.at(-1);
    if (!before) throw new Error('There is no page to go back to.');
    return this.#get(before, 'same-origin', { remember: false });
  }

  fill(label: string, value: string, options?: Near): void {
    this.page.fill(label, value, options);
  }

  check(label: string, options?: Near): void {
    this.page.check(label, options);
  }

  uncheck(label: string, options?: Near): void {
    this.page.uncheck(label, options);
  }

  /** Presses a button, follows a link or opens a menu, by the name that people see. */
  async press(name: string, options?: Near): Promise<Page> {
    const press = this.page.press(name, options);
    if (press.kind === 'opened') return this.page;
    if (press.kind === 'follow') return this.#get(this.#resolve(press.to), 'same-origin');
    return this.#submit(press);
  }

  /** Posts whatever a test makes up, with this browser's form token unless `fields` has its own. */
  post(
    path: string,
    fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[] = {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const pairs = Array.isArray(fields) ? (fields as [string, string][]) : Object.entries(fields as Record<string, string>);
    const withToken = pairs.some(([name]) => name === FORM_TOKEN) || !this.#formToken ? pairs : [[FORM_TOKEN, this.#formToken] as const, ...pairs];
    return this.#post(this.#resolve(path), withToken, headers);
  }

  /** Another browser at the same app, of the same kind and address, with no cookies. */
  fork(options: VisitorOptions = {}): Visitor {
    return new Visitor(this.#app, { ...this.#options, userAgent: this.userAgent, address: this.address, ...options });
  }

  /** Another tab of this browser: the cookies are the same ones, whichever tab gets them. */
  tab(): Visitor {
    const tab = new Visitor(this.#app, { ...this.#options, userAgent: this.userAgent, address: this.address, cookies: this.cookies });
    tab.#formToken = this.#formToken;
    return tab;
  }

  /** The same browser, cookies, page and all, after the app was started again. */
  movedTo(app: Site): Visitor {
    const moved = new Visitor(app, { ...this.#options, userAgent: this.userAgent, address: this.address });
    for (const name of this.cookies.names) moved.cookies.set(name, this.cookies.get(name)!);
    moved.#history.push(...this.#history);
    moved.#page = this.#page;
    moved.#formToken = this.#formToken;
    return moved;
  }

  #submit({ method, to, fields }: Submission): Promise<Page> {
    const url = to ? this.#resolve(to) : new URL(this.#current());
    if (method === 'POST') return this.#post(url, fields, {});
    url.search = encode(fields);
    return this.#get(url, 'same-origin');
  }

  async #post(url: URL, fields: readonly (readonly [string, string])[], headers: Record<string, string>): Promise<Page> {
    const posted = { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin, ...headers };
    return this.#show(await this.#send({ method: 'POST', url, site: 'same-origin', headers: posted, payload: encode(fields) }), { remember: true });
  }

  async #get(url: URL, site: FetchSite, { remember } = { remember: true }): Promise<Page> {
    return this.#show(await this.#send({ method: 'GET', url, site, headers: {} }), { remember });
  }

  async #send({ method, url, site, headers, payload }: Request): Promise<Answer> {
    const cookie = this.cookies.header();
    const response = await this.#app.inject({
      method,
      url: url.pathname + url.search,
      remoteAddress: this.address,
      headers: {
        host: url.host,
        accept: 'text/html,application/xhtml+xml',
        'user-agent': this.userAgent,
        'sec-fetch-site': site,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...(cookie === undefined ? {} : { cookie }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    this.cookies.receive([response.headers['set-cookie'] ?? []].flat());
    return { status: response.statusCode, url, headers: response.headers, body: response.body };
  }

  async #show(first: Answer, { remember }: { remember: boolean }): Promise<Page> {
    let answer = first;
    for (let redirects = 0; answer.status >= 300 && answer.status < 400; redirects += 1) {
      if (redirects === REDIRECTS_MOST) throw new Error(`${first.url.pathname} redirects without end.`);
      if (answer.status !== 303) throw new Error(`${answer.url.pathname} redirects with ${answer.status} instead of 303.`);
      const to = new URL(String(answer.headers['location']), answer.url);
      if (to.origin !== this.#origin) throw new Error(`${answer.url.pathname} redirects away, to ${to.href}.`);
      answer = await this.#send({ method: 'GET', url: to, site: 'same-origin', headers: {} });
    }
    const disposition = answer.headers['content-disposition'];
    if (typeof disposition === 'string' && disposition.startsWith('attachment')) return this.#keep(answer, disposition);

    if (String(answer.headers['content-type']).startsWith('text/html') && this.#options.checkHtml !== false)
      checkHtml(answer.body, `${answer.url.pathname} (${answer.status})`);
    this.#page = new Page(answer);
    if (remember) this.#history.push(answer.url);
    this.#formToken = this.#page.root.querySelector(`input[name=${FORM_TOKEN}]`)?.getAttribute('value') ?? this.#formToken;
    return this.#page;
  }

  #keep(answer: Answer, disposition: string): Page {
    const name = /filename="([^"]*)"/.exec(disposition)?.[1] ?? '';
    this.download = { name, type: String(answer.headers['content-type']), text: answer.body };
    return this.page;
  }

  #resolve(path: string): URL {
    const url = new URL(path, this.#history.at(-1) ?? this.#origin);
    if (url.origin !== this.#origin) throw new Error(`${path} leads away from ${this.#origin}.`);
    return url;
  }

  #current(): URL {
    const current = this.#history.at(-1);
    if (!current) throw new Error('Nothing was visited yet.');
    return current;
  }
}

type FetchSite = 'none' | 'same-origin';
interface Request {
  readonly method: NonNullable<InjectOptions['method']>;
  readonly url: URL;
  readonly site: FetchSite;
  readonly headers: Record<string, string>;
  readonly payload?: string;
}
interface Answer {
  readonly status: number;
  readonly url: URL;
  readonly headers: Page['headers'];
  readonly body: string;
}

const encode = (fields: readonly (readonly [string, string])[]): string => new URLSearchParams(fields as [string, string][]).toString();
