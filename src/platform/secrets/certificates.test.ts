import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { deflated, inflated, textFromBase64 } from '../deflate.ts';
import { isSignedByRsa, makeKeyPair, readCertificate, signByRsa, withoutPemLines } from './certificates.ts';

const NOW = Date.UTC(2027, 1, 2, 9);
const random = { bytes: (count: number) => new Uint8Array(count).fill(0xff), integer: () => 0 };

test('a certificate that others read, and a signature by its key', async () => {
  const { privateKey, certificate } = await makeKeyPair({ name: `Herons & Söhne ${'x'.repeat(100)}`, now: NOW, random });
  const read = new X509Certificate(certificate);
  assert.ok(read.verify(read.publicKey) && read.checkIssued(read));
  assert.match(read.subject, /^CN=Herons & Söhne x{49}$/);
  assert.deepEqual([Date.parse(read.validFrom), new Date(read.validTo).getUTCFullYear()], [NOW, 2037]);
  assert.deepEqual(readCertificate(withoutPemLines(certificate)), { ok: true, pem: certificate });

  const signature = signByRsa(privateKey, 'text');
  const by = (text: string, given = signature) => isSignedByRsa([certificate], { how: { hash: 'sha256', padding: 'pkcs1' }, text, signature: given });
  assert.ok(by('text') && !by('texts') && !by('text', `${signature.slice(4)}AAAA`) && !by('text', 'no base64!') && !by('text', ''));
  // From 2050 on the year has four digits (RFC 5280, 4.1.2.5).
  const later = new X509Certificate((await makeKeyPair({ name: 'a', now: Date.UTC(2045, 0, 1), random })).certificate);
  assert.equal(new Date(later.validTo).getUTCFullYear(), 2054);
});

test('what is no certificate, or of no key that serves', () => {
  for (const text of ['', 'MIIB', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'x'.repeat(10_000)]) {
    const read = readCertificate(text);
    assert.ok(!read.ok && read.fault.startsWith('That is no certificate'), text.slice(0, 20));
  }
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  assert.ok(!readCertificate(publicKey.export({ format: 'pem', type: 'spki' }).toString()).ok);
});

test('what addresses carry: packed and unpacked, and no further than somebody wants', () => {
  assert.equal(inflated(deflated('Grüße'), 100), 'Grüße');
  assert.equal(inflated(deflated('x'.repeat(101)), 100), undefined);
  assert.equal(inflated('AAAA', 100), undefined);
  assert.equal(inflated('*', 100), undefined);
  assert.equal(textFromBase64('R3L8\n3w=='), undefined, 'Latin-1');
  assert.equal(textFromBase64('R3LD\r\nvMOf'), 'Grüß');
});
