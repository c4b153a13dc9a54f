/** What people read: times, browsers, mails, forms and cookies, with whatever others put into them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import { localPath } from '../../src/platform/http/local-path.ts';
import { page, type Visit } from '../../src/platform/http/visit.ts';
import { makeWeb } from '../../src/platform/http/web.ts';
import { checkbox, codeField, form, select, textField } from '../../src/platform/html/forms.ts';
import { html } from '../../src/platform/html/html.ts';
import { layOut } from '../../src/platform/mail/layout.ts';
import type { Message } from '../../src/platform/mail/message.ts';
import { describeUserAgent } from '../../src/platform/mail/user-agent.ts';
import { dateOf, momentOf, timeOf, waitingTime } from '../../src/platform/words/times.ts';
import { runs } from '../support/property.ts';
import { makeTestWorld } from '../support/world.ts';

const NASTY = [
  '<script>alert(1)</script>',
  '" onfocus="alert(1)',
  "' x='",
  '&lt;',
  '&',
  '</p>',
  '</title>',
  '</style>',
  '<!--',
  '-->',
  ']]>',
  '\u2028',
  '\r\n.\r\n',
  '\u202e',
  '`',
  '=',
  '{{7*7}}',
  '${7*7}',
];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.oneof(fc.constantFrom(...NASTY), fc.string()), { maxLength: 6 }).map((parts) => parts.join('')),
);

describe('times', () => {
  const UNITS: Readonly<Record<string, number>> = { second: seconds(1), minute: minutes(1), hour: hours(1) };

  test('property: nobody who waits as long as they are told comes too early, nor waits much longer than they must', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 1, max: days(2) }), fc.integer({ min: 1, max: minutes(3) })), (wait) => {
        const [, count, unit, plural] = /^in (\d+) (second|minute|hour)(s?)$/.exec(waitingTime(wait))!;
        const told = Number(count) * UNITS[unit!]!;
        assert.ok(told >= wait, `${waitingTime(wait)} for ${wait} ms`);
        assert.ok(told < wait + Math.max(seconds(1), UNITS[unit!]!), `${waitingTime(wait)} for ${wait} ms`);
        assert.equal(plural, count === '1' ? '' : 's');
      }),
      runs(1000),
    );
  });

  test('property: a wait that is over, or was never one, is still said as a time', () => {
    fc.assert(
      fc.property(fc.integer({ min: -days(1), max: 0 }), (wait) => {
        assert.equal(waitingTime(wait), 'in 1 second');
      }),
      runs(100),
    );
  });

  test('property: moments say their day, minute and zone', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(Date.UTC(2200, 0)), noInvalidDate: true }), (date) => {
        const at = date.getTime();
        assert.equal(Date.parse(`${dateOf(at)} ${timeOf(at)}`), Math.floor(at / minutes(1)) * minutes(1));
        assert.equal(momentOf(at), `${dateOf(at)} at ${timeOf(at)}`);
      }),
      runs(300),
    );
  });
});

test('LO-3, property: a browser is told in a few words of ours, whatever it says of itself', () => {
  const claims = fc.array(
    fc.constantFrom('Mozilla/5.0', 'Firefox/1', 'Chrome/1', 'Edg/1', 'Safari/1', 'Windows NT', 'Android', 'iPhone', 'Linux', 'Firefoxy', '(', ';'),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        claims.map((all) => all.join(' ')),
      ),
      (userAgent) => {
        assert.match(
          describeUserAgent(userAgent),
          /^(?:an unknown browser|a browser on [\w ]+|(?:Edge|Opera|Samsung Internet|Firefox|Chrome|Safari)(?: on (?:iOS|Android|Windows|macOS|ChromeOS|Linux))?)$/,
        );
      },
    ),
    runs(500),
  );
});

describe('mail', () => {
  const message: fc.Arbitrary<Message> = fc.record({
    to: fc.record({ name: text, address: fc.emailAddress() }),
    subject: text,
    code: fc.option(fc.stringMatching(/^\d{6}$/), { nil: undefined }),
    paragraphs: fc.array(text, { maxLength: 4 }),
    link: fc.option(fc.record({ label: text, url: fc.webUrl() }), { nil: undefined }),
    asked: fc.option(fc.record({ userAgent: text, address: fc.ipV6(), at: fc.integer({ min: 0, max: Date.UTC(2100, 0) }) }), { nil: undefined }),
    notYou: text,
    expiresAt: fc.constant(undefined),
  });

  test('property: both forms hold every part; the code comes first; nothing that was put in becomes markup', () => {
    fc.assert(
      fc.property(message, text, (one, installationName) => {
        const laidOut = layOut(one, installationName);
        assert.equal(laidOut.subject, one.subject);
        if (one.code !== undefined) assert.ok(laidOut.text.startsWith(`${one.code}\n\n`));
        const parts = [
          ...one.paragraphs,
          one.notYou,
          installationName,
          one.to.name,
          ...(one.link ? [one.link.label, one.link.url] : []),
          one.asked?.address ?? '',
        ];
        for (const part of parts) assert.ok(laidOut.text.includes(part));
        const root = parse(laidOut.html, { comment: true });
        for (const part of parts) assert.ok(root.text.includes(part), part);
        assert.deepEqual(new Set(root.querySelectorAll('body *').map((element) => element.localName)), new Set(['div', 'p', ...(one.link ? ['a'] : [])]));
        assert.deepEqual(
          root.querySelectorAll('a').map((link) => link.getAttribute('href')),
          one.link ? [one.link.url] : [],
        );
      }),
      runs(300),
    );
  });
});

describe('forms', () => {
  test('property: what was typed stands in its field again, to the character, and adds nothing to the page', () => {
    fc.assert(
      fc.property(text, text, (typed, error) => {
        const fields = [
          textField({ label: typed, name: 'text', value: typed, error, hint: error }),
          codeField({ label: 'Verification code', name: 'code', value: typed, error }),
          checkbox({ label: typed, name: 'saved', checked: true }),
          select({ label: 'Language', name: 'language', value: typed, options: [[typed, typed]] }),
        ];
        const root = parse(form({ action: '/here', formToken: typed, body: fields }).toString());
        for (const selector of ['#text', '#code', 'option', '[name=form_token]'])
          assert.equal(root.querySelector(selector)!.getAttribute('value'), typed, selector);
        for (const selector of ['#text-error', '#text-hint', '#code-error']) assert.equal(root.querySelector(selector)!.text, error, selector);
        assert.equal(root.querySelector('option')!.text, typed);
        assert.deepEqual(
          root.querySelectorAll('*').map((element) => element.localName),
          ['form', 'input', 'div', 'label', 'input', 'p', 'p', 'div', 'label', 'input', 'p', 'div', 'label', 'input', 'div', 'label', 'select', 'option'],
        );
      }),
      runs(500),
    );
  });
});

describe('what a browser sends', async () => {
  const world = await makeTestWorld({ engine: 'sqlite', path: ':memory:' });
  after(() => world.close());
  const { fastify, web } = await makeWeb(world);
  after(() => fastify.close());
  let seen: Visit | undefined;
  web.get('/here', async (visit) => {
    seen = visit;
    return page(html`<p>here</p>`);
  });
  const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((point) => String.fromCharCode(point)), maxLength: 60 });
  const pairs = fc.array(fc.tuple(fc.constantFrom('twinlock-session', 'twinlock-attempt', '__proto__', 'constructor', '', 'x'), headerText), { maxLength: 8 });

  test('property: any Cookie header is read without an error, and a cookie is a short text or not there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          headerText,
          pairs.map((all) => all.map(([name, value]) => `${name}=${value}`).join(';')),
        ),
        async (cookie) => {
          const { statusCode } = await fastify.inject({ url: '/here', headers: { cookie, 'user-agent': cookie } });
          assert.equal(statusCode, 200);
          for (const name of ['session', 'attempt', 'browser', 'reset', 'notice'] as const) {
            const value = seen!.cookie(name);
            assert.ok(value === undefined || (typeof value === 'string' && value.length >= 1 && value.length <= 200));
          }
          assert.match(seen!.browserToken, /^[\w-]{43}$/);
          assert.match(seen!.userAgent, /^[\x20-\x7e]{0,300}$/);
        },
      ),
      runs(300),
    );
  });

  test('WE-7, property: a path to come back to is the same path after it has gone through an address and a form', () => {
    const piece = fc.oneof(fc.constantFrom('/', '/account', '?then=', '&', '%2F', '..', '.', '~', '=', '#', ' '), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = localPath(`/${pieces.join('')}`);
        if (path === undefined) return;
        assert.equal(localPath(path), path);
        assert.equal(localPath(new URLSearchParams({ then: path }).get('then')), path);
        assert.equal(new URL(path, 'https://id.example.com').origin, 'https://id.example.com');
        assert.equal(new URL(path, 'https://id.example.com/account/security').origin, 'https://id.example.com');
      }),
      runs(1000),
    );
  });
});
