import type { Html } from '../html/html.ts';

/** One request, parsed, with its cookies and the browser that sent it. What handlers see of HTTP; made in `web.ts`, or by a test. */
export interface Visit {
  readonly method: string;
  /** The path alone, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What the route's `:names` matched. */
  readonly parameters: Readonly<Record<string, string>>;
  /**
   * A field of the posted form, '' where it was not sent. Throws a Problem where it was sent twice or is longer than `bytesMost`
   * bytes (4,096 unless told): no field of ours is.
   */
  field(name: string, bytesMost?: number): string;
  /**
   * Whether it was sent on this very machine, to this machine by name, through nobody. A page of another site can have its own name lead here (DNS
   * rebinding), and a tunnel's end stands here too: neither is.
   */
  readonly onThisMachine: boolean;
  /** The client's address, believed from a proxy only where `TWINLOCK_TRUSTED_PROXIES` names it. */
  readonly address: string;
  /** The User-Agent header: at most 300 characters, without control characters. */
  readonly userAgent: string;
  readonly requestId: string;
  /** The random token of this browser's long-lived cookie. Set on the first visit. It signs nobody in. */
  readonly browserToken: string;
  /** The value that a form of this browser must carry, see `form` in html/forms.ts. */
  readonly formToken: string;
  cookie(name: CookieName): string | undefined;
  /** Without `maxAgeSeconds` the cookie goes with the browser's session. */
  setCookie(name: CookieName, value: string, options?: { maxAgeSeconds: number }): void;
  clearCookie(name: CookieName): void;
  /** Tells the browser to forget what it kept of our pages. */
  clearSiteData(): void;
}

/** Sent as `__Host-twinlock-NAME` where the origin is https, else `twinlock-NAME`; always HttpOnly, SameSite=Lax, Path=/. */
export type CookieName = 'session' | 'attempt' | 'browser' | 'device' | 'reset' | 'notice';

/** What a handler returns. */
export type Answer = PageAnswer | RedirectAnswer | FileAnswer;
export interface PageAnswer {
  readonly kind: 'page';
  readonly html: Html;
  readonly status: number;
}
export interface RedirectAnswer {
  readonly kind: 'redirect';
  /** A path of ours, starting with one slash. */
  readonly to: string;
}
export interface FileAnswer {
  readonly kind: 'file';
  readonly name: string;
  readonly type: string;
  /** In parts where it is long: each is asked for when the one before is on its way, so that no file has to fit into memory. */
  readonly body: string | AsyncIterable<string>;
}

export const page = (html: Html, status = 200): PageAnswer => ({ kind: 'page', html, status });
/** Always 303: the browser fetches `to` with GET, so that reload and back never post twice. */
export const redirect = (to: string): RedirectAnswer => ({ kind: 'redirect', to });
export const file = (name: string, type: string, body: FileAnswer['body']): FileAnswer => ({ kind: 'file', name, type, body });

export type Handler<Context> = (visit: Visit, context: Context) => Promise<Answer>;
/** Lets a visit through with what it found out (the session, say), or answers in its place. */
/** `outer`: what the guard before it found out. */
export type Guard<Context, Outer = undefined> = (visit: Visit, outer: Outer) => Promise<{ pass: true; context: Context } | { pass: false; answer: Answer }>;

/** Where a feature mounts its pages. Every POST has been checked for its form token and origin before the guard runs. */
export interface Web<Context> {
  get(path: string, handler: Handler<Context>): void;
  post(path: string, handler: Handler<Context>): void;
  /** The same routes behind a guard. */
  guarded<Inner>(guard: Guard<Inner, Context>): Web<Inner>;
}
