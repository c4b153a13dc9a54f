/* oxlint-disable no-script-url -- they are what has to be refused */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { html, Html, raw, safeUrl, type Value } from './html.ts';
import { readPlaces } from './places.ts';

const NASTY = ['<script>alert(1)</script>', '" onfocus="alert(1)', "' onfocus='alert(1)", '&lt;', '</textarea>', '<!--', ']]>', '\u2028', '`', '=', '>'];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...NASTY),
  fc.array(fc.constantFrom(...NASTY)).map((parts) => parts.join('')),
);

describe('escaping', () => {
  test('property: what is put in as text comes out as that text, between tags and in attributes', () => {
    fc.assert(
      fc.property(text, (value) => {
        const written = tag`<p title="${value}" lang='${value}'>${value}</p>`.toString();
        // Only the tags of the template are tags, and only its quotes are quotes.
        assert.deepEqual(written.match(/[<>]/g), ['<', '>', '<', '>']);
        assert.deepEqual(written.match(/["']/g), ['"', '"', "'", "'"]);
        assert.equal(written.replace(/&(?!(?:amp|lt|gt|quot|#39);)/, 'unescaped &').includes('unescaped'), false);
      }),
    );
    const found = parse(html`<p title="${NASTY.join(' ')}">${NASTY.join(' ')}</p>`.toString()).querySelector('p')!;
    assert.equal(found.getAttribute('title'), NASTY.join(' '));
    assert.equal(found.text, NASTY.join(' '));
  });

  test('Html goes in as it is, once made; arrays one after another; nothing for false, null and undefined', () => {
    assert.equal(html`<b>${html`<i>${'&'}</i>`}</b>`.toString(), '<b><i>&amp;</i></b>');
    assert.equal(html`${['a', html`<br />`, 0, [1, '<']]}${false}${null}${undefined}`.toString(), 'a<br />01&lt;');
    assert.equal(raw('<hr />').toString(), '<hr />');
  });

  test('what only looks like Html is refused', () => {
    for (const value of [{ toString: () => '<b>' }, Symbol('b'), () => '<b>', 1n, true, new Date(0)]) {
      assert.throws(() => html`<p>${value as unknown as Value}</p>`, TypeError);
    }
    assert.throws(() => new Html('<b>', Symbol('html')), TypeError);
  });
});

// By another name, so that the formatter leaves the quotes of these templates as they are.
const tag = html;

describe('places that have no safe reading are refused', () => {
  const value = 'x';
  const refused: [string, () => Html][] = [
    ['an attribute without quotes', () => tag`<p class=${value}>`],
    ['the same after a bracket in an attribute', () => tag`<p title="a > b" class=${value}>`],
    ['the middle of an unquoted attribute', () => tag`<p class=a${value}>`],
    ['a script', () => tag`<script>const a = "${value}";</script>`],
    ['a script with attributes', () => tag`<script type="module" defer>${value}</script>`],
    ['a style', () => tag`<STYLE>p { color: ${value} }</STYLE>`],
    ['a style attribute', () => tag`<p style="color: ${value}">`],
    ['an event handler', () => tag`<p onclick="go('${value}')">`],
    ['the document of a frame', () => tag`<iframe srcdoc="${value}">`],
    ['a comment', () => tag`<!-- ${value} -->`],
    ['the name of a tag', () => tag`<${value}>`],
    ['the name of an end tag', () => tag`<p></${value}>`],
    ['the name of an attribute', () => tag`<p data-${value}="">`],
    ['text among attributes', () => tag`<p ${value}>`],
    ['text among attributes, in an array', () => tag`<p ${[tag` id="a"`, value]}>`],
    ['text right after the name of a tag', () => tag`<p${value}>`],
  ];
  for (const [what, template] of refused) test(what, () => assert.throws(template, TypeError));

  test('and those beside them are not', () => {
    const written = tag`<!DOCTYPE html><!-- a "comment" <p class= --><script src="/a.js"></script><title>${'<'}</title><p id='${value}' ${tag`hidden`}>${value}<br/>${value}</p>`;
    const wanted = `<!DOCTYPE html><!-- a "comment" <p class= --><script src="/a.js"></script><title>&lt;</title><p id='x' hidden>x<br/>x</p>`;
    assert.equal(written.toString(), wanted);
  });

  test('a place is told apart by where it stands, not by how the text before it looks', () => {
    const parts = ['<a href="', '" title="', '" href=\'', '&x=', "' ", '>', '</a> a = ', ''];
    assert.deepEqual(readPlaces(parts), ['address', 'attribute', 'address', 'attribute', 'attributes', 'text', 'text']);
    assert.deepEqual(readPlaces(['<a href="/account/', '"><form action = "', '">']), ['attribute', 'address']);
  });
});

describe('addresses', () => {
  const safe = [
    '/',
    '/account?a=b#c',
    '#content',
    'https://example.com/',
    'http://localhost:3000/sign-in',
    'mailto:ada@example.com',
    'otpauth://totp/Example:ada%40example.com?secret=A&issuer=B',
  ];
  const unsafe = [
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'blob:https://example.com/x',
    'file:///etc/passwd',
    '//evil.test',
    '/\\evil.test',
    '/\t/evil.test',
    '\\evil.test',
    'https:evil.test',
    'account',
    '',
    'https://example.com/\u0000',
  ];
  test('a path of ours, a place on the page, and harmless schemes go in, escaped', () => {
    for (const address of safe) {
      assert.equal(safeUrl(address), address);
      assert.equal(
        parse(html`<a href="${address}">x</a>`.toString())
          .querySelector('a')!
          .getAttribute('href'),
        address,
      );
    }
  });
  for (const address of unsafe) {
    test(`refused wherever an address stands: ${JSON.stringify(address)}`, () => {
      assert.throws(() => safeUrl(address), TypeError);
      assert.throws(() => html`<a href="${address}">x</a>`, TypeError);
      assert.throws(() => tag`<form ACTION='${address}'></form>`, TypeError);
      assert.throws(() => html`<button formaction="${address}"></button>`, TypeError);
      assert.throws(() => html`<img src="${raw(address)}" />`, TypeError, 'Not even as Html.');
    });
  }

  test('property: what is let through never runs and never leaves by the wrong host', () => {
    const start = fc.constantFrom('/', '//', '/\\', 'javascript:', 'data:', ' ', '\t', 'https://', '#', 'otpauth://', 'http:', '');
    fc.assert(
      fc.property(start, text, (beginning, rest) => {
        const address = beginning + rest;
        try {
          safeUrl(address);
        } catch {
          return;
        }
        // What no browser can read leads nowhere.
        const url = URL.parse(address, 'https://id.example.com/');
        if (!url) return;
        assert.ok(['https:', 'http:', 'mailto:', 'otpauth:'].includes(url.protocol));
        if (address.startsWith('/')) assert.equal(url.host, 'id.example.com');
      }),
      { numRuns: 1000 },
    );
  });
});
