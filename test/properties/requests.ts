/** What browsers, and those who only seem to be one, may send to a route. */
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import type { Route } from '../support/routes.ts';
import type { Stage, State } from './states.ts';

/** Every field that a form of the portal has. A page with another one fails the test, so that it gets a place here. */
export const FIELDS = ['form_token', 'email', 'password', 'current', 'name', 'language', 'code', 'method', 'saved', 'then', 'token', 'session'] as const;

export interface Sent {
  readonly state: State;
  /** Whose cookies were sent: whoever has them is that person. */
  readonly actors: readonly (string | undefined)[];
  readonly request: InjectOptions & { readonly headers: Record<string, string> };
  /** Whether the form token was this browser's. */
  readonly genuine: boolean;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The cookies that somebody's pages open with. */
const OPENING = ['twinlock-session', 'twinlock-attempt', 'twinlock-reset'];

const FORM = 'application/x-www-form-urlencoded';
const PLAIN = ['', ' ', '0', 'null', 'true', '-1', '1e309', '123456', '000000', '12 34-56', '0000-0000-0000-0000-0000-0000-00'];
const PROTOTYPES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
const NASTY = [
  '\0',
  'a\0b',
  '\r\nSet-Cookie: a=b',
  '\u2028',
  '\u202eevil',
  '<script>alert(1)</script>',
  '"><img src=x>',
  '${7*7}',
  "' or 1=1 --",
  '%00',
  '%',
  '%zz',
  '\ufffd',
  '👩‍🚀',
  '//evil.test',
  '/\\evil.test',
  'https://evil.test/',
  '../../etc/passwd',
];
const KINDS = ['totp', 'email-code', 'recovery-key', 'en', 'yes', '/account/security', '/account/security/disable?a=1&b=2'];

export function requestsTo({ method, path }: Route, { states, known }: Stage): fc.Arbitrary<Sent> {
  const value = (state: State): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(state.email, state.password, state.formToken, 'new@example.org', 'Grace', 'eleven brown otters') },
      { weight: 3, arbitrary: fc.constantFrom(...known) },
      { weight: 3, arbitrary: fc.constantFrom(...KINDS, ...PLAIN, ...PROTOTYPES) },
      { weight: 3, arbitrary: fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })) },
      { weight: 1, arbitrary: fc.constantFrom('é'.repeat(3000), 'a'.repeat(4097), 'x '.repeat(2000), 'a'.repeat(70_000)) },
    );
  return fc.constantFrom(...states).chain((state) =>
    fc
      .record({
        pairs: fc.array(
          fc.tuple(
            fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...FIELDS.slice(1)) }, { weight: 1, arbitrary: fc.constantFrom(...PROTOTYPES, 'x') }),
            value(state),
          ),
          {
            maxLength: 6,
          },
        ),
        token: fc.oneof({ weight: 9, arbitrary: fc.constant(state.formToken) }, { weight: 1, arbitrary: fc.option(value(state), { nil: undefined }) }),
        parameter: value(state),
        query: fc.array(fc.tuple(fc.constantFrom('then', 'token', 'x', '__proto__'), value(state)), { maxLength: 2 }),
        type: fc.oneof(
          { weight: 9, arbitrary: fc.constant(FORM) },
          { weight: 1, arbitrary: fc.constantFrom(`${FORM}; charset=utf-7`, 'application/json', 'text/plain', 'multipart/form-data', 'x', '') },
        ),
        site: fc.oneof({ weight: 15, arbitrary: fc.constant('same-origin') }, { weight: 1, arbitrary: fc.constantFrom('cross-site', 'none', '') }),
        cookies: fc.oneof({ weight: 7, arbitrary: fc.constant(state.cookies) }, { weight: 3, arbitrary: otherCookies(state, states, value(state)) }),
        accept: fc.oneof({ weight: 9, arbitrary: fc.constant('text/html') }, { weight: 1, arbitrary: fc.constantFrom('*/*', 'application/json', ';;;', '') }),
        address: fc.constantFrom('192.0.2.10', '127.0.0.1', '2001:db8::7'),
      })
      .map(({ pairs, token, parameter, query, type, site, cookies, accept, address }): Sent => {
        const fields = [...(token === undefined ? [] : [['form_token', token] as const]), ...pairs];
        const search = new URLSearchParams(query).toString();
        return {
          state,
          actors: states
            .filter((one) => OPENING.some((name) => one.cookies[name] !== undefined && one.cookies[name] === cookies[name]))
            .map((one) => one.accountId),
          genuine: token === state.formToken && cookies['twinlock-browser'] === state.cookies['twinlock-browser'],
          fields,
          request: {
            method,
            url: path.replace(/:\w+/, encodeURIComponent(parameter.slice(0, 150).toWellFormed()) || 'x') + (search === '' ? '' : `?${search}`),
            remoteAddress: address,
            headers: {
              accept,
              cookie: Object.entries(cookies)
                .map(([name, one]) => `${name}=${encodeURIComponent(one.toWellFormed())}`)
                .join('; '),
              ...(site === '' ? {} : { 'sec-fetch-site': site }),
              ...(method === 'POST' && type !== '' ? { 'content-type': type } : {}),
            },
            ...(method === 'POST' ? { payload: new URLSearchParams(fields as [string, string][]).toString() } : {}),
          },
        };
      }),
  );
}

/** None, somebody else's, or made up ones under our names. */
function otherCookies(state: State, states: readonly State[], value: fc.Arbitrary<string>): fc.Arbitrary<Readonly<Record<string, string>>> {
  const names = fc.constantFrom(
    'twinlock-session',
    'twinlock-attempt',
    'twinlock-reset',
    'twinlock-notice',
    'twinlock-browser',
    '__Host-twinlock-session',
    '__proto__',
  );
  return fc.oneof(
    fc.constant({}),
    fc.constantFrom(...states).map((other) => ({ ...other.cookies, 'twinlock-browser': state.cookies['twinlock-browser']! })),
    fc.constantFrom(...PROTOTYPES).map((name) => ({ ...state.cookies, 'twinlock-notice': name })),
    fc.tuple(names, value).map(([name, made]) => ({ ...state.cookies, [name]: made.slice(0, 1000) })),
  );
}
