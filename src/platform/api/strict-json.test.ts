import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readStrictJson } from './strict-json.ts';

const read = (text: string) => readStrictJson(Buffer.from(text));

test('what JSON.parse makes of a text without ambiguities is what is read, whatever stands in its strings', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' }), (value) => {
      const text = JSON.stringify(value);
      if (text.includes('\\u0000')) return;
      assert.deepEqual(read(text), { ok: true, value: JSON.parse(text) as unknown });
    }),
  );
});

test('a name twice in one object is refused however it is written and wherever it stands; the same name in two objects is none', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', '[', ']', ',', ':', 'é', '\n') });
  const escaped = (text: string) => `"${[...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
  fc.assert(
    fc.property(name, fc.boolean(), fc.constantFrom('1', '"x"', '[{"b":1}]', '{"c":","}', 'null'), (key, hidden, value) => {
      const second = hidden ? escaped(key) : JSON.stringify(key);
      const object = `{${JSON.stringify(key)}:${value}, "z0" : [] ,${second}:${value}}`;
      for (const text of [object, `[1,${object}]`, `{"o":{"p":${object}}}`]) assert.equal(read(text).ok, false, text);
      assert.equal(read(`[{${JSON.stringify(key)}:${value}},{${second}:${value}}]`).ok, true);
    }),
  );
});

test('nested deeper than eight, not UTF-8, with NUL or half of a pair, or no JSON: refused with a sentence', () => {
  for (const text of ['[[[[[[[[[1]]]]]]]]]', '{"a":"\\u0000"}', '{"\\u0000":1}', '"\\udfff"', '{', '', 'undefined', "{'a':1}", '[1,]', 'NaN', '\ufeff{}'])
    assert.match((read(text) as { why: string }).why, /^The body .*\.$/, text);
  assert.equal(read('[[[[[[[[1]]]]]]]]').ok, true);
  assert.deepEqual(readStrictJson(Buffer.from([0x22, 0xc3, 0x28, 0x22])), { ok: false, why: 'The body is not UTF-8.' });
});
