import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digitsOf } from './code.ts';

test('AX-1: a code is read with spaces and dashes wherever they stand', () => {
  for (const typed of ['123456', ' 123 456 ', '123-456', '12–34—56', '1 2 3 4 5 6', '123\u00a0456', '123\u200b456', '\ufeff123456\n', '１２３４５６']) {
    assert.equal(digitsOf(typed, 6), '123456', JSON.stringify(typed));
  }
  assert.equal(digitsOf('000 000', 6), '000000');
});

test('the digits of every script that has ten are read', () => {
  const systems = Intl.supportedValuesOf('numberingSystem').map((system) => {
    const format = new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false });
    return Array.from({ length: 10 }, (_, digit) => format.format(digit)).join('');
  });
  // What ICU writes with decimal digits is an independent list of them; the others (Hebrew letters, Roman numbers) are no digits.
  const decimal = systems.filter((zeroToNine) => /^\p{Nd}{10}$/u.test(zeroToNine));
  assert.ok(decimal.length > 50, `only ${decimal.length} scripts`);
  for (const zeroToNine of decimal) assert.equal(digitsOf(zeroToNine, 10), '0123456789', zeroToNine);
});

test('what is no code of so many digits is refused', () => {
  for (const typed of [
    '',
    ' ',
    '12345',
    '1234567',
    '12345a',
    '1234５٦x',
    '½½',
    '-1.5e3',
    '123.456',
    '123,456',
    '１２３',
    '\u{1d7ce}'.repeat(7),
    'null',
    '二三四五六七',
  ]) {
    assert.equal(digitsOf(typed, 6), undefined, JSON.stringify(typed));
  }
});

test('property: whatever is typed, the answer is so many ASCII digits or nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom(6, 8), (typed, digits) => {
      const code = digitsOf(typed, digits);
      assert.ok(code === undefined || (code.length === digits && /^[0-9]+$/.test(code)));
    }),
  );
});

test('property: a code is itself, whatever is strewn between its digits', () => {
  const strewn = fc.constantFrom('', ' ', '-', '\t', '\u2011', '\u200e');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), strewn), { minLength: 6, maxLength: 6 }), (parts) => {
      assert.equal(digitsOf(parts.flat().join(''), 6), parts.map(([digit]) => digit).join(''));
    }),
  );
});
