import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readXml, type XmlElement } from './read-xml.ts';
import { xml } from './write-xml.ts';

const read = (text: string, comments: 'refused' | 'dropped' = 'refused') => readXml(text, { charactersMost: 100_000, comments });
const faultOf = (text: string): string => {
  const result = read(text);
  assert.ok(!result.ok, `It was read: ${text.slice(0, 200)}`);
  return result.fault;
};

test('elements, attributes and text, by namespace and whatever their prefix', () => {
  const result = read(
    `<?xml version="1.0" encoding="UTF-8"?>\r\n<a xmlns="u" xmlns:p="v" x='1 &amp; "2"' p:y="&#x41;&#66;"> <p:b/>t&lt;<c xmlns="">u\r\nv</c> </a>\n`,
  );
  assert.ok(result.ok);
  const { children, ...root } = result.root;
  assert.deepEqual(root, { name: 'a', namespace: 'u', attributes: { x: '1 & "2"', '{v}y': 'AB' }, text: ' t< ' });
  assert.deepEqual(
    children.map(({ name, namespace, text }) => [name, namespace, text]),
    [
      ['b', 'v', ''],
      ['c', '', 'u\nv'],
    ],
  );
});

test('what could be read in another way is not read', () => {
  for (const [text, fault] of [
    ['<a><!-- --></a>', /comment/],
    ['<a><![CDATA[x]]></a>', /CDATA/],
    ['<!DOCTYPE a><a/>', /DOCTYPE/],
    ['<a><?x?></a>', /processing instruction/],
    ['<?xml version="1.1"?><a/>', /processing instruction/],
    ['<a>&e;</a>', /entity/],
    ['<a>& </a>', /entity/],
    ['<a>&#0;</a>', /entity/],
    ['<a>&#xD800;</a>', /entity/],
    ['<a>&#x110000;</a>', /entity/],
    ['<a>\u0001</a>', /characters/],
    ['<a>\ud800</a>', /characters/],
    ['<a x="1" x="2"/>', /twice/],
    ['<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', /twice/],
    ['<a xmlns="u" xmlns="v"/>', /twice/],
    ['<p:a/>', /prefix/],
    ['<a constructor:x="1"/>', /prefix/],
    ['<a xmlns:xml="u"/>', /namespace/],
    ['<a xmlns:p=""/>', /namespace/],
    ['<a/><b/>', /more than one document/],
    ['x<a/>', /well-formed/],
    ['<a/>x', /well-formed/],
    ['<a></b>', /well-formed/],
    ['<a><b></a></b>', /well-formed/],
    ['<a>', /well-formed/],
    ['</a>', /well-formed/],
    ['<a x=1/>', /well-formed/],
    ['<a x/>', /well-formed/],
    ['<a x="<"/>', /well-formed/],
    ['<a x="1"y="2"/>', /well-formed/],
    ['<a>]]></a>', /well-formed/],
    ['< a/>', /well-formed/],
    ['<a:b:c xmlns:a="u"/>', /well-formed/],
    ['<ä/>', /well-formed/],
    ['', /well-formed/],
    [`${'<a>'.repeat(40)}${'</a>'.repeat(40)}`, /deeper/],
    [`<a>${'<b/>'.repeat(5000)}</a>`, /more elements/],
    [`<a ${Array.from({ length: 40 }, (_, index) => `x${index}=""`).join(' ')}/>`, /well-formed/],
    [' '.repeat(100_001), /larger/],
  ] as const)
    assert.match(faultOf(text), fault, text.slice(0, 60));
});

test('comments are dropped where somebody who may handed it over', () => {
  const result = read('<!-- a --><a>x<!-- <b> -->y</a><!-- -->', 'dropped');
  assert.ok(result.ok && result.root.text === 'xy' && result.root.children.length === 0);
  assert.ok(!read('<a><!-- x</a>', 'dropped').ok);
});

test('what is written is read as what it was, whatever it holds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '<', '>', '&', '"', "'", '\n', '\t', ' ', ';', ']]>', '<!--', 'é', '😀') });
  fc.assert(
    fc.property(text, text, (value, content) => {
      const result = read(xml`<a x="${value}"><b>${content}</b></a>`.toString());
      assert.ok(result.ok);
      const inner = result.root.children[0] as XmlElement;
      assert.deepEqual([result.root.attributes['x'], inner.text], [value, content]);
    }),
  );
});

test('hostile text takes no longer than any other', () => {
  for (const piece of ['<a>', '<', '<a b=', '<a b="', '&', '<a ', ' ', '</a', "<a b='c'"]) {
    const started = performance.now();
    read(piece.repeat(Math.floor(100_000 / piece.length)));
    assert.ok(performance.now() - started < 1000, piece);
  }
});
