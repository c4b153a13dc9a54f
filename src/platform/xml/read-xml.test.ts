import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
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
    ['<a\u00a0x="1"/>', /well-formed/],
    ['<a x\u2003="1"/>', /well-formed/],
    ['</a\u00a0>', /well-formed/],
    ['\ufeff<a/>', /well-formed/],
    ['\u00a0<a/>', /well-formed/],
    ['<?XML version="1.0"?><a/>', /processing instruction/],
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
    for (const around of ['', '<a>']) read(`${around}${piece.repeat(Math.floor(90_000 / piece.length))}x${around.replace('<', '</')}`);
    assert.ok(performance.now() - started < 1000, piece);
  }
});

interface DomNode {
  readonly nodeType: number;
  readonly localName: string;
  readonly namespaceURI: string | null | undefined;
  readonly nodeValue: string;
  readonly attributes: ArrayLike<DomNode>;
  readonly childNodes: ArrayLike<DomNode>;
}
/** The parser under the library that verifies signatures. */
const { DOMParser } = createRequire(createRequire(import.meta.url).resolve('@node-saml/node-saml'))('@xmldom/xmldom') as {
  DOMParser: new (options: object) => { parseFromString(text: string, type: string): { documentElement: DomNode } };
};

const XMLNS = 'http://www.w3.org/2000/xmlns/';
const nameIn = ({ namespaceURI, localName }: DomNode): string => (namespaceURI ? `{${namespaceURI}}${localName}` : localName);

function seenByTheOther(node: DomNode): XmlElement {
  const children = Array.from(node.childNodes);
  assert.ok(children.every(({ nodeType }) => nodeType === 1 || nodeType === 3));
  const attributes = Array.from(node.attributes).filter(({ namespaceURI }) => namespaceURI !== XMLNS);
  return {
    name: node.localName,
    namespace: node.namespaceURI ?? '',
    attributes: Object.fromEntries(attributes.map((one) => [nameIn(one), one.nodeValue])),
    children: children.filter(({ nodeType }) => nodeType === 1).map(seenByTheOther),
    text: children
      .filter(({ nodeType }) => nodeType === 3)
      .map(({ nodeValue }) => nodeValue)
      .join(''),
  };
}

test('what is read here is read alike by the parser of the library that verifies signatures', () => {
  const pieces = [
    '<a>',
    '</a>',
    '<p:a xmlns:p="u">',
    '</p:a>',
    '<p:b/>',
    '<b x="1" p:y=\'&lt;2&#62;\'/>',
    '<b xmlns=""/>',
    '<a xmlns="v">',
    't',
    ' ',
    '&amp;',
    '&#x41;',
    ']',
    '>',
    '\n',
    '"',
    '<b',
    'x="1"',
    '/>',
    '\u00a0',
    'é',
  ];
  let readable = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), fc.constantFrom(true, false), (inner, bare) => {
      const text = bare ? inner.join('') : `<r xmlns:p="w">${inner.join('')}</r>`;
      const result = read(text);
      if (!result.ok) return;
      readable += 1;
      const faults: string[] = [];
      const other = new DOMParser({ errorHandler: (level: string) => faults.push(level) }).parseFromString(text, 'text/xml').documentElement;
      assert.deepEqual(faults, []);
      assert.deepEqual(seenByTheOther(other), result.root);
    }),
    { numRuns: 4000, seed: 7 },
  );
  assert.ok(readable > 500, `Only ${readable} could be read.`);
});
