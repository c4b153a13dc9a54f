/**
 * An app behind a reverse proxy that asks the portal before each request, and browsers that open it: what nginx, Traefik and Caddy do by configuration, in
 * process. The browser's cookies for the app's host are its own, apart from those for the portal.
 */
import type { Portal } from './portal.ts';
import type { Visitor } from './visitor.ts';

export interface Passed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class AppBehindProxy {
  readonly origin: string;
  readonly #portal: Portal;
  readonly #cookies = new WeakMap<Visitor, Map<string, string>>();

  constructor(portal: Portal, origin: string) {
    this.#portal = portal;
    this.origin = origin;
  }

  /** One request of a browser at this host, as far as the proxy's question: 200 means that the app got it. */
  async ask(browser: Visitor, path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Passed> {
    return this.#send(browser, '/forward-auth', { 'x-original-url': `${this.origin}${path}`, 'x-original-method': method, ...headers });
  }

  /** Opens a path as somebody does who follows every redirect, as far as the portal's sign-in or the app. */
  async open(browser: Visitor, path: string, options: { method?: string } = {}): Promise<Passed> {
    const passed = await this.ask(browser, path, options);
    if (passed.status !== 401) return passed;
    await browser.visit(new URL(passed.headers['location']!).pathname + new URL(passed.headers['location']!).search);
    return (await this.comeBack(browser)) ?? passed;
  }

  /** From the page that goes on by itself to the app; undefined where the browser is at another page. */
  async comeBack(browser: Visitor): Promise<Passed | undefined> {
    const callback = callbackOn(browser);
    if (callback === undefined) return undefined;
    const answer = await this.callback(browser, callback);
    return answer.status === 303 ? this.ask(browser, new URL(answer.headers['location']!).href.slice(this.origin.length)) : answer;
  }

  async callback(browser: Visitor, callback: string): Promise<Passed> {
    const { search, pathname } = new URL(callback);
    return this.#send(browser, `/forward-auth/callback${search}`, { 'x-original-url': `${this.origin}${pathname}${search}`, 'x-original-method': 'GET' });
  }

  cookiesOf(browser: Visitor): Map<string, string> {
    let cookies = this.#cookies.get(browser);
    if (!cookies) this.#cookies.set(browser, (cookies = new Map<string, string>()));
    return cookies;
  }

  async #send(browser: Visitor, url: string, headers: Record<string, string>): Promise<Passed> {
    const cookies = this.cookiesOf(browser);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.#portal.app.inject({ url, headers: { ...headers, ...(cookie === '' ? {} : { cookie }), host: 'portal.internal' } });
    for (const { name, value } of answer.cookies) cookies.set(name, value);
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.body };
  }
}

/** Where the page leads by itself. */
export function callbackOn({ page }: Visitor): string | undefined {
  return page.root.querySelector('[data-goes-on]')?.getAttribute('href');
}
