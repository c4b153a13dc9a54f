/**
 * An app behind a reverse proxy that asks the portal before each request, and browsers that open it: what nginx, Traefik, Caddy and Envoy do by configuration,
 * in process. The browser's cookies for the app's host are its own, apart from those for the portal.
 */
import type { Portal } from './portal.ts';
import { NGINX_SHAPE, type Headers, type ProxyShape } from './proxy-shapes.ts';
import type { Visitor } from './visitor.ts';

export interface Passed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class AppBehindProxy {
  readonly origin: string;
  readonly #portal: Portal;
  readonly #shape: ProxyShape;
  readonly #cookies = new WeakMap<Visitor, Map<string, string>>();

  constructor(portal: Portal, origin: string, shape: ProxyShape = NGINX_SHAPE) {
    this.#portal = portal;
    this.#shape = shape;
    this.origin = origin;
  }

  /** One request of a browser at this host, as far as the proxy's question: 200 means that the app got it. */
  async ask(browser: Visitor, path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Headers } = {}): Promise<Passed> {
    const cookies = this.cookiesOf(browser);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = { ...headers, ...(cookie === '' ? {} : { cookie }) };
    const question = this.#shape.question({ origin: this.origin, path, method, headers: sent });
    const answer = await this.#portal.app.inject({
      url: question.url,
      method: question.method,
      headers: { host: 'portal.internal', ...question.headers },
    });
    for (const { name, value } of answer.cookies) cookies.set(name, value);
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.body };
  }

  /** What the app is sent, where it is sent anything. */
  async toApp(browser: Visitor, path: string, headers: Headers = {}): Promise<Headers | undefined> {
    const passed = await this.ask(browser, path, { headers });
    return passed.status === 200 ? this.#shape.toApp(headers, passed.headers) : undefined;
  }

  /** Opens a path as somebody does who follows every redirect, as far as the portal's sign-in or the app. */
  async open(browser: Visitor, path: string, options: { method?: string } = {}): Promise<Passed> {
    const passed = await this.ask(browser, path, { ...options, headers: { accept: 'text/html,*/*;q=0.8' } });
    if (passed.status !== (this.#shape.passesOn ? 303 : 401)) return passed;
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
    return this.ask(browser, pathname + search);
  }

  cookiesOf(browser: Visitor): Map<string, string> {
    let cookies = this.#cookies.get(browser);
    if (!cookies) this.#cookies.set(browser, (cookies = new Map<string, string>()));
    return cookies;
  }
}

/** Where the page leads by itself. */
export function callbackOn({ page }: Visitor): string | undefined {
  return page.root.querySelector('[data-goes-on]')?.getAttribute('href');
}
