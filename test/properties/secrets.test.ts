/** What is sealed, hashed and kept of passwords. */
import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { makeKeys, sameSecret, type HashPurpose, type Place } from '../../src/platform/secrets/keys.ts';
import { makePasswordHasher } from '../../src/platform/secrets/password-hash.ts';
import { runs } from '../support/property.ts';
import { seededRandom } from '../support/seeded-random.ts';

const rootKey = fc.record({ id: fc.stringMatching(/^[\w.-]{1,64}$/), secret: fc.uint8Array({ minLength: 32, maxLength: 32 }) });
const rootKeys = fc.uniqueArray(rootKey, { minLength: 1, maxLength: 3, selector: (key) => key.id });
const text = fc.string({ unit: 'binary' });
const place = fc.tuple(text, text, text) satisfies fc.Arbitrary<Place>;
const purposes: readonly HashPurpose[] = [
  'session token',
  'attempt token',
  'browser token',
  'password reset token',
  'form token',
  'email code',
  'recovery key',
  'limit key',
];

describe('sealing', () => {
  test('CR-1, property: what was sealed opens in its place, and in no other', () => {
    fc.assert(
      fc.property(rootKeys, place, place, text, (roots, here, elsewhere, plain) => {
        const keys = makeKeys(roots);
        const sealed = keys.seal(here, plain);
        assert.equal(keys.open(here, sealed), plain);
        if (JSON.stringify(here) !== JSON.stringify(elsewhere)) assert.throws(() => keys.open(elsewhere, sealed));
        // The same letters cut in another way are another place.
        const [table, row, meaning] = here;
        if (row !== '') assert.throws(() => keys.open([table + row, '', meaning], sealed));
      }),
      runs(300),
    );
  });

  test('CR-1, property: a changed bit, a missing end or an addition is noticed', () => {
    fc.assert(
      fc.property(rootKeys, place, text, fc.nat(), fc.integer({ min: 0, max: 7 }), (roots, here, plain, at, bit) => {
        const keys = makeKeys(roots);
        const sealed = keys.seal(here, plain);
        const changed = Uint8Array.from(sealed);
        changed[at % sealed.length]! ^= 1 << bit;
        assert.throws(() => keys.open(here, changed));
        assert.throws(() => keys.open(here, sealed.subarray(0, at % sealed.length)));
        assert.throws(() => keys.open(here, Buffer.concat([sealed, Buffer.of(bit)])));
      }),
      runs(300),
    );
  });

  test('property: garbage is refused and never read past its end', () => {
    const keys = makeKeys([{ id: 'k', secret: new Uint8Array(32).fill(9) }]);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.uint8Array().map((rest) => Uint8Array.of(1, 107, ...rest)),
        ),
        (bytes) => {
          assert.throws(() => keys.open(['a', 'b', 'c'], bytes));
        },
      ),
      runs(500),
    );
  });

  test('CR-3, property: a newer key seals, the older ones still open, and without its key nothing does', () => {
    fc.assert(
      fc.property(rootKeys, rootKey, place, text, (roots, newer, here, plain) => {
        fc.pre(roots.every((root) => root.id !== newer.id));
        const before = makeKeys(roots);
        const rotated = makeKeys([newer, ...roots]);
        const old = before.seal(here, plain);
        assert.equal(rotated.open(here, old), plain);
        assert.throws(() => before.open(here, rotated.seal(here, plain)));
        assert.throws(() => makeKeys([newer]).open(here, old));
        // What can't be made again is the same as ever, and the newest pepper is the one that is used.
        assert.equal(rotated.hash('email code', plain), before.hash('email code', plain));
        assert.equal(rotated.pepper()!.keyId, newer.id);
        assert.deepEqual(rotated.pepper(roots[0]!.id), before.pepper());
      }),
      runs(200),
    );
  });

  test('property: the same text sealed twice is never the same bytes', () => {
    const keys = makeKeys([{ id: 'k', secret: new Uint8Array(32).fill(9) }]);
    const sealed = Array.from({ length: 2000 }, () => Buffer.from(keys.seal(['a', 'b', 'c'], 'same')).toString('base64'));
    assert.equal(new Set(sealed).size, sealed.length);
  });
});

describe('hashing', () => {
  const parts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é'), maxLength: 4 }), { maxLength: 4 });

  test('property: two lists of parts, or two purposes, never share a hash', () => {
    const keys = makeKeys([{ id: 'k', secret: new Uint8Array(32).fill(9) }]);
    fc.assert(
      fc.property(fc.constantFrom(...purposes), fc.constantFrom(...purposes), parts, parts, (purpose, other, some, others) => {
        const same = purpose === other && JSON.stringify(some) === JSON.stringify(others);
        assert.equal(sameSecret(keys.hash(purpose, ...some), keys.hash(other, ...others)), same);
        assert.equal(Buffer.from(keys.hash(purpose, ...some), 'base64url').length, 32);
        assert.deepEqual(Buffer.from(keys.hashBytes(purpose, ...some)), Buffer.from(keys.hash(purpose, ...some), 'base64url'));
      }),
      runs(2000),
    );
  });

  test('property: secrets are the same only where every byte is', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        assert.equal(sameSecret(one, other), one === other);
        assert.ok(sameSecret(one, one));
      }),
      runs(500),
    );
  });
});

describe('passwords', () => {
  const parameters = { memoryKibibytes: 16, passes: 1, lanes: 1 };
  const roots = [{ id: 'k1', secret: new Uint8Array(32).fill(9) }];
  const hasher = makePasswordHasher(makeKeys(roots), seededRandom(5), parameters);
  const password = fc.string({ unit: 'grapheme' });

  test('PW-2, PW-7, property: the right password, composed or not, and no other, whatever its length', async () => {
    await fc.assert(
      fc.asyncProperty(password, password, async (right, other) => {
        const hashed = await hasher.hash(right);
        for (const form of [right, right.normalize('NFC'), right.normalize('NFD')])
          assert.deepEqual(await hasher.verify(form, hashed), { right: true, outdated: false });
        assert.equal((await hasher.verify(other, hashed)).right, other.normalize('NFC') === right.normalize('NFC'));
        // Character 65 matters as much as the first.
        const long = right.repeat(Math.ceil(100 / Math.max(1, right.length)));
        assert.equal((await hasher.verify(`${long}a`, await hasher.hash(`${long}b`))).right, false);
      }),
      runs(100),
    );
  });

  test('PW-6, property: what is kept is a PHC string from which argon2id makes the same tag again', async () => {
    await fc.assert(
      fc.asyncProperty(password, async (right) => {
        const hashed = await hasher.hash(right);
        const [empty, algorithm, version, settings, salt, tag] = hashed.split('$');
        assert.deepEqual(
          [empty, algorithm, version, settings],
          ['', 'argon2id', 'v=19', `m=16,t=1,p=1,keyid=${Buffer.from('k1').toString('base64').replaceAll('=', '')}`],
        );
        const again = argon2Sync('argon2id', {
          message: right.normalize('NFC'),
          nonce: Buffer.from(salt!, 'base64'),
          secret: makeKeys(roots).pepper()!.secret,
          parallelism: 1,
          tagLength: 32,
          memory: 16,
          passes: 1,
        });
        assert.deepEqual(Buffer.from(tag!, 'base64'), again);
        assert.equal(Buffer.from(salt!, 'base64').length, 16);
      }),
      runs(100),
    );
  });

  test('PW-7, property: with other parameters or a newer pepper the hash still verifies and is said to be outdated; without its pepper nothing is right', async () => {
    const raised = fc.record({ memoryKibibytes: fc.integer({ min: 8, max: 32 }), passes: fc.integer({ min: 1, max: 2 }), lanes: fc.constant(1) });
    await fc.assert(
      fc.asyncProperty(password, raised, fc.boolean(), async (right, now, rotated) => {
        const hashed = await hasher.hash(right);
        const newer = { id: 'k2', secret: new Uint8Array(32).fill(3) };
        const later = makePasswordHasher(makeKeys(rotated ? [newer, ...roots] : roots), seededRandom(6), now);
        const outdated = rotated || now.memoryKibibytes !== 16 || now.passes !== 1;
        assert.deepEqual(await later.verify(right, hashed), { right: true, outdated });
        assert.deepEqual(await later.verify(right, await later.hash(right)), { right: true, outdated: false });
        const bereft = makePasswordHasher(makeKeys([newer]), seededRandom(6), now);
        assert.deepEqual(await bereft.verify(right, hashed), { right: false, outdated: false });
      }),
      runs(50),
    );
  });

  test('property: what is no PHC string of ours is never right, and never an error', async () => {
    const broken = fc.oneof(text, fc.constantFrom('', '$', '$argon2id$v=19$', '$2b$10$abcdefghijklmnopqrstuv', 'plain'), fc.constant(undefined));
    await fc.assert(
      fc.asyncProperty(password, broken, async (given, hashed) => {
        assert.deepEqual(await hasher.verify(given, hashed), { right: false, outdated: false });
      }),
      runs(100),
    );
  });
});
