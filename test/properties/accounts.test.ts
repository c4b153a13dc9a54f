/** What people may call themselves, where mail goes, and what a password may be. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import addressparser from 'nodemailer/lib/addressparser';
import { refuseName } from '../../src/accounts/name-rules.ts';
import { BYTES_MOST, LENGTH_LEAST, LENGTH_LEAST_BEHIND_SECOND_FACTOR, passwordSentence, refusePassword } from '../../src/accounts/password-rules.ts';
import { parseEmailAddress } from '../../src/platform/mail/address.ts';
import { runs } from '../support/property.ts';

const anyText = fc.string({ unit: 'binary' });

describe('addresses', () => {
  const pieces = fc.constantFrom(
    'a',
    'Zoë',
    'ZOE\u0308',
    '名',
    '.',
    '..',
    '@',
    ',',
    ';',
    ':',
    '<',
    '>',
    '"',
    '(x)',
    ' ',
    '\r\n',
    '\t',
    '\0',
    '\u2028',
    'evil@x.test',
    'Bcc: ',
    '=?utf-8?q?',
    '-',
    '+',
    '\\',
    'İ',
    'ß',
    '\u200d',
    '%',
  );
  const nasty = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
  const candidates = fc.oneof(
    anyText,
    nasty,
    fc.emailAddress(),
    fc.tuple(nasty, nasty).map(([local, domain]) => `${local}@${domain}`),
    fc.tuple(fc.emailAddress(), nasty).map(([address, more]) => `${address}${more}`),
  );

  test('property: what is taken is one address to every reader, and nothing else', () => {
    fc.assert(
      fc.property(candidates, (text) => {
        const parsed = parseEmailAddress(text);
        if (!parsed) return;
        const { address } = parsed;
        assert.doesNotMatch(address, /[\s,;:<>()"\\[\]\p{Cc}\p{Zl}\p{Zp}]/u);
        assert.equal(address.split('@').length, 2);
        assert.ok(Buffer.byteLength(address) <= 254);
        // The mail library, which would read a list where it sees one.
        assert.deepEqual(addressparser(address), [{ address, name: '' }]);
      }),
      runs(3000),
    );
  });

  test('property: taking it again changes nothing, and its key is the same however it is written', () => {
    fc.assert(
      fc.property(candidates, (text) => {
        const parsed = parseEmailAddress(text);
        if (!parsed) return;
        assert.deepEqual(parseEmailAddress(parsed.address), parsed);
        for (const other of [` ${text}\n`, text.normalize('NFD'), text.toLowerCase(), parsed.key])
          assert.equal(parseEmailAddress(other)?.key, parsed.key, JSON.stringify(other));
      }),
      runs(3000),
    );
  });

  test('property: the addresses that people have are taken', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        assert.equal(parseEmailAddress(address)?.address, address);
      }),
      runs(500),
    );
  });
});

describe('names', () => {
  test('property: what is taken fits on one line of a page, a mail and a log, and reads in its own direction', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(fc.constantFrom('Ada', ' ', '\u202e', '\r\n', '\u0007', '\u2066', 'é', '👩‍🚀'), { maxLength: 8 }).map((parts) => parts.join('')),
        ),
        (name) => {
          const refusal = refuseName(name);
          if (refusal !== undefined) {
            assert.match(refusal, /^[A-Z].*\.$/);
            return;
          }
          assert.doesNotMatch(name.trim(), /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
          assert.ok(name.trim() !== '' && [...name.normalize('NFC').trim()].length <= 100);
        },
      ),
      runs(1000),
    );
  });

  test('property: a name of up to 100 letters of any script is taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (name) => {
        if ([...name.normalize('NFC').trim()].length === 0) return;
        assert.equal(refuseName(name), undefined);
      }),
      runs(500),
    );
  });
});

describe('passwords', () => {
  const context = { email: 'lovelace@example.org', installationName: 'Analytical Engines', realSecondFactorEnforced: false, isCommon: () => false };
  const lengthOf = (password: string): number => [...password.normalize('NFC')].length;

  test('PW-1, PW-5, property: none that is too short, too long, of the person or of the site gets through, in any writing', () => {
    const parts = fc.constantFrom(
      'lovelace',
      'LoveLace',
      'lovelace@example.org',
      'analytical engines',
      'AnalyticalEngines',
      'Twinlock',
      'é',
      'e\u0301',
      'x',
      '7',
      ' ',
      '😀',
    );
    const passwords = fc.oneof(
      anyText,
      fc.string({ unit: 'binary', minLength: 200, maxLength: 1100 }),
      fc.array(fc.oneof(parts, fc.string({ maxLength: 6 })), { maxLength: 10 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(passwords, fc.boolean(), (password, realSecondFactorEnforced) => {
        const refusal = refusePassword(password, { ...context, realSecondFactorEnforced });
        if (refusal !== undefined) {
          assert.match(passwordSentence(refusal, { realSecondFactorEnforced }), /^[A-Z].*\.$/);
          return;
        }
        assert.ok(lengthOf(password) >= (realSecondFactorEnforced ? LENGTH_LEAST_BEHIND_SECOND_FACTOR : LENGTH_LEAST));
        assert.ok(Buffer.byteLength(password.normalize('NFC')) <= BYTES_MOST);
        assert.doesNotMatch(password, /lovelace|analytical ?engines|twinlock/i);
      }),
      runs(2000),
    );
  });

  test('PW-2, property: composed and decomposed letters are the same password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (password) => {
        assert.equal(refusePassword(password.normalize('NFD'), context), refusePassword(password.normalize('NFC'), context));
      }),
      runs(500),
    );
  });

  test('PW-2, property: no rule of composition: four random words, or random characters of one kind, are taken', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'.split('')), minLength: 5, maxLength: 9 });
    const words = fc.array(word, { minLength: 4, maxLength: 4 }).map((all) => all.join(' '));
    const digits = fc.uniqueArray(fc.integer({ min: 10_000, max: 99_999 }), { minLength: 4, maxLength: 4 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.oneof(words, digits), (password) => {
        // Shrinking and chance make words of one letter; those are refused for being too simple, and rightly.
        fc.pre(new Set(password).size > 5);
        assert.equal(refusePassword(password, context), undefined);
      }),
      runs(500),
    );
  });

  test('PW-3, property: a common password is refused also when it is repeated, capitalised or hung with digits and signs', () => {
    const common = ['correcthorse', 'letmeinplease', 'sunflower1969x'];
    const isCommon = (password: string): boolean => common.includes(password);
    const around = fc.string({ unit: fc.constantFrom(...'0123456789!?.-_ '.split('')), maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...common), fc.integer({ min: 1, max: 6 }), around, fc.boolean(), (one, times, after, upper) => {
        const repeated = one.repeat(times);
        const hung = times === 1 ? `${repeated}${after}` : repeated;
        const password = upper ? hung.toUpperCase() : hung;
        assert.notEqual(refusePassword(password, { ...context, isCommon }), undefined, password);
      }),
      runs(500),
    );
  });

  test('PW-3, property: one character, or a run of them, is too simple at any length', () => {
    const repeats = fc
      .tuple(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 3 }), fc.integer({ min: 15, max: 60 }))
      .map(([unit, times]) => unit.repeat(times));
    const counts = fc
      .tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(1, -1), fc.integer({ min: 15, max: 40 }))
      .map(([start, step, length]) => Array.from({ length }, (_, index) => (((start + step * index) % 10) + 10) % 10).join(''));
    fc.assert(
      fc.property(fc.oneof(repeats, counts), (password) => {
        assert.notEqual(refusePassword(password, context), undefined, password);
      }),
      runs(500),
    );
  });
});
