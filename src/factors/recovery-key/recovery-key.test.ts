import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { minutes } from '../../platform/durations.ts';
import { html } from '../../platform/html/html.ts';
import { makeKeys } from '../../platform/secrets/keys.ts';
import type { Occasion, Person, Tools } from '../contract.ts';
import {
  claimedBy,
  keepKeyBody,
  makeRecoveryKey,
  newRecoveryKeyState,
  parseRecoveryKey,
  recoveryKey,
  recoveryKeyFile,
  type RecoveryKeyState,
} from './recovery-key.ts';

const NOW = Date.UTC(2027, 1, 2, 9, 0, 0);
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const keys = makeKeys([{ id: 'test', secret: new Uint8Array(32).fill(7) }]);
const ada: Person = { accountId: 'ada', name: 'Ada', email: 'ada@example.org', language: 'en' };
const signingIn: Occasion = { attemptId: 'attempt', purpose: 'sign-in', reason: 'to sign in', userAgent: '', address: '' };

const toolsAt = (now: number): Tools => ({ now, random: seededRandom(1), hash: keys.hash, installationName: 'Example Ltd', origin: 'https://example.org' });
const seventeenBytes = fc.uint8Array({ minLength: 17, maxLength: 17 });

const key = makeRecoveryKey(seededRandom(1).bytes(17));
const otherKey = makeRecoveryKey(seededRandom(2).bytes(17));

function answer(state: RecoveryKeyState, typed: string, { now = NOW, person = ada, attemptId = 'attempt' } = {}) {
  const enrolled = [{ id: 'key', name: 'Recovery Key', state, createdAt: 0, lastUsedAt: null }];
  return recoveryKey.verify(toolsAt(now), { enrolled, challenge: undefined, answer: typed, person, occasion: { ...signingIn, attemptId } });
}

function claimed(state: RecoveryKeyState, at: Parameters<typeof answer>[2] = {}): RecoveryKeyState {
  const verified = answer(state, key, at);
  assert.ok(verified.ok);
  return verified.state;
}

describe('making a key', () => {
  test('RK-1: 26 characters in groups of four, of an alphabet without look-alikes', () => {
    assert.match(key, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{2}$/);
  });

  test('RK-1: the characters are the bits, five by five', () => {
    assert.equal(makeRecoveryKey(new Uint8Array(17)), '0000-0000-0000-0000-0000-0000-00');
    assert.equal(makeRecoveryKey(new Uint8Array(17).fill(255)), 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZ');
    fc.assert(
      fc.property(seventeenBytes, (bytes) => {
        const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
        const expected = bits
          .slice(0, 130)
          .match(/.{5}/g)!
          .map((five) => ALPHABET[Number.parseInt(five, 2)])
          .join('');
        assert.equal(makeRecoveryKey(bytes).replaceAll('-', ''), expected);
      }),
    );
  });

  test('RK-1: of 10,000 keys none comes twice, and at every place all characters are equally likely', () => {
    const random = seededRandom(20_270_202);
    const count = 10_000;
    const made = Array.from({ length: count }, () => makeRecoveryKey(random.bytes(17)).replaceAll('-', ''));
    assert.equal(new Set(made).size, count);
    for (let place = 0; place < 26; place++) {
      const counts = Map.groupBy(made, (one) => one[place]!);
      const chiSquare = ALPHABET.split('').reduce((sum, character) => sum + ((counts.get(character)?.length ?? 0) - count / 32) ** 2 / (count / 32), 0);
      // 61.1 is passed once in a thousand times by 31 degrees of freedom; the seed makes it the same every time.
      assert.ok(chiSquare < 61.1, `place ${place + 1}: ${chiSquare}`);
    }
  });

  test('too few bytes make no key', () => {
    assert.throws(() => makeRecoveryKey(new Uint8Array(16)), RangeError);
  });
});

describe('reading a key', () => {
  test('RK-9, property: case, spaces and dashes do not matter, and look-alikes are forgiven', () => {
    const spoil = fc.record({
      lower: fc.boolean(),
      between: fc.constantFrom('', ' ', '-', '–', '\t', '\u00a0', '\u200b'),
      one: fc.constantFrom('1', 'I', 'i', 'L', 'l'),
      zero: fc.constantFrom('0', 'O', 'o'),
    });
    fc.assert(
      fc.property(seventeenBytes, spoil, (bytes, { lower, between, one, zero }) => {
        const shown = makeRecoveryKey(bytes);
        const typed = shown
          .replaceAll('-', '')
          .split('')
          .map((character) => (lower ? character.toLowerCase() : character))
          .map((character) => (character === '1' ? one : character === '0' ? zero : character))
          .join(between);
        assert.equal(parseRecoveryKey(typed), shown.replaceAll('-', ''));
      }),
    );
  });

  test('RK-9: letters as wide as Chinese ones are read', () => {
    const wide = [...key].map((character) => String.fromCodePoint(character.codePointAt(0)! + 0xfee0)).join('');
    assert.equal(parseRecoveryKey(wide), key.replaceAll('-', ''));
  });

  test('what can’t be a key is malformed: too short, too long, a U, another sign', () => {
    const plain = key.replaceAll('-', '');
    for (const typed of ['', '123456', plain.slice(1), `${plain}0`, `U${plain.slice(1)}`, `*${plain.slice(1)}`, `é${plain.slice(1)}`, `${plain} ${plain}`]) {
      assert.equal(parseRecoveryKey(typed), undefined, typed);
      assert.ok(!recoveryKey.wellFormed(typed));
      assert.deepEqual(answer(newRecoveryKeyState(toolsAt(NOW), 'ada', key), typed), { ok: false, reason: 'code-malformed' });
    }
  });

  test('property: whatever is typed, it is 26 characters of the alphabet or nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (typed) => {
        const parsed = parseRecoveryKey(typed);
        assert.ok(parsed === undefined || (parsed.length === 26 && parsed.split('').every((character) => ALPHABET.includes(character))));
      }),
    );
  });
});

describe('using a key', () => {
  const state = newRecoveryKeyState(toolsAt(NOW), 'ada', key);

  test('RK-2: what is kept is a keyed hash, bound to the account', () => {
    const plain = key.replaceAll('-', '');
    assert.ok(!JSON.stringify(state).includes(key) && !JSON.stringify(state).includes(plain));
    assert.notEqual(newRecoveryKeyState(toolsAt(NOW), 'eve', key).hash, state.hash);
    assert.deepEqual(answer(state, key, { person: { ...ada, accountId: 'eve' } }), { ok: false, reason: 'code-wrong' });
    const other = makeKeys([{ id: 'other', secret: new Uint8Array(32).fill(8) }]);
    assert.notEqual(newRecoveryKeyState({ ...toolsAt(NOW), hash: other.hash }, 'ada', key).hash, state.hash);
    assert.throws(() => newRecoveryKeyState(toolsAt(NOW), 'ada', 'no key'));
  });

  test('the right key is accepted and another refused', () => {
    assert.ok(answer(state, key).ok);
    assert.deepEqual(answer(state, otherKey), { ok: false, reason: 'code-wrong' });
  });

  test('an account without a key refuses every one', () => {
    assert.deepEqual(recoveryKey.verify(toolsAt(NOW), { enrolled: [], challenge: undefined, answer: key, person: ada, occasion: signingIn }), {
      ok: false,
      reason: 'code-wrong',
    });
  });

  test('RK-3: the attempt that used it holds it; another is told that it is in use', () => {
    const held = claimed(state, { attemptId: 'first' });
    assert.ok(claimedBy(held, 'first') && !claimedBy(held, 'second') && !claimedBy(state, 'first'));
    assert.deepEqual(answer(held, key, { attemptId: 'second' }), { ok: false, reason: 'code-used' });
    assert.ok(answer(held, key, { attemptId: 'first' }).ok);
    assert.deepEqual(answer(held, otherKey, { attemptId: 'second' }), { ok: false, reason: 'code-wrong' });
  });

  test('RK-11: where the next key was never confirmed, this one serves again after half an hour', () => {
    const held = claimed(state, { attemptId: 'lost in a crash' });
    assert.deepEqual(answer(held, key, { attemptId: 'later', now: NOW + minutes(30) - 1 }), { ok: false, reason: 'code-used' });
    const later = claimed(held, { attemptId: 'later', now: NOW + minutes(30) });
    assert.ok(claimedBy(later, 'later') && !claimedBy(later, 'lost in a crash'));
  });

  test('AL-2: it counts as a second factor, with a private name, and does not turn two-factor authentication on', () => {
    assert.equal(recoveryKey.assurance, 2);
    assert.deepEqual(recoveryKey.amr, ['recovery']);
    assert.equal(recoveryKey.stands, false);
    assert.equal(recoveryKey.most, 1);
  });
});

test('the file says what it is, for which account and site, when it was made and how to use it', () => {
  const file = recoveryKeyFile({ installationName: 'Example Ltd', origin: 'https://example.org', email: 'ada@example.org', key, madeAt: NOW });
  for (const part of [
    'Recovery Key for Example Ltd',
    key,
    'ada@example.org',
    'https://example.org',
    '2 February 2027 at 09:00 UTC',
    'How to use it',
    '/sign-in',
  ]) {
    assert.ok(file.includes(part), part);
  }
  assert.equal(parseRecoveryKey(file.split('\r\n').find((line) => line.startsWith('    '))!), key.replaceAll('-', ''));
});

test('the page shows the key, with a download that needs no script and buttons that appear with one', () => {
  const owner = { email: 'ada@example.org', origin: 'https://example.org' };
  const show = (saved: boolean) => String(keepKeyBody({ key, saved, ...owner, downloadForm: (button) => html`<form method="post">${button}</form>` }));
  const body = show(false);
  assert.match(body, new RegExp(`class="key"[^>]*>${key}<`));
  assert.match(body, /<form method="post">\s*<button[^>]*type="submit"[^>]*>Download<\/button>/);
  assert.match(body, /type="button"[^>]*hidden[^>]*>Copy<\/button>/);
  assert.match(body, /type="button"[^>]*hidden[^>]*>Print<\/button>/);
  assert.match(body, /class="button main wide"[^>]*>Download</, 'what there is to do first');
  assert.match(show(true), /class="button wide"[^>]*>Download</);
});
