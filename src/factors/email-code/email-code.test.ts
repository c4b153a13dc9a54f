import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { minutes, seconds } from '../../platform/durations.ts';
import { makeKeys } from '../../platform/secrets/keys.ts';
import type { Occasion, Person, Tools } from '../contract.ts';
import { CODE_LIFETIME, emailCode } from './email-code.ts';

const NOW = Date.UTC(2027, 1, 2, 9, 0, 0);
const keys = makeKeys([{ id: 'test', secret: new Uint8Array(32).fill(7) }]);
const ada: Person = { accountId: 'ada', name: 'Ada', email: 'ada@example.org', language: 'en' };
const signingIn: Occasion = { attemptId: 'attempt', purpose: 'sign-in', reason: 'to sign in', userAgent: 'Firefox', address: '192.0.2.7' };
const enrolled = [{ id: 'mail', name: 'Code by email', state: { address: ada.email }, createdAt: 0, lastUsedAt: null }];

const toolsAt = (now: number, random = seededRandom(1)): Tools => ({
  now,
  random,
  hash: keys.hash,
  installationName: 'Example Ltd',
  origin: 'https://example.org',
});

function sent({ person = ada, occasion = signingIn, random = seededRandom(1) } = {}) {
  const { challenge, messages } = emailCode.challenge!(toolsAt(NOW, random), person, occasion);
  assert.equal(messages.length, 1);
  const [message] = messages;
  assert.ok(message?.code);
  return { challenge, message, code: message.code };
}

type Challenge = ReturnType<typeof sent>['challenge'];

function answer(challenge: Challenge | undefined, code: string, { now = NOW, person = ada, occasion = signingIn, hash = keys.hash } = {}) {
  const verified = emailCode.verify({ ...toolsAt(now), hash }, { enrolled, challenge, answer: code, person, occasion });
  return verified.ok ? 'right' : verified.reason;
}

const otherThan = (code: string): string => String((Number(code) + 1) % 10 ** 6).padStart(6, '0');

describe('the code', () => {
  test('EC-1: six digits, all equally likely, leading zeros kept', () => {
    const random = seededRandom(20_270_202);
    const count = 100_000;
    const seen = Array.from({ length: 6 }, () => Array.from({ length: 10 }, () => 0));
    // What is drawn is looked at, not how it is hashed: a hash that costs nothing keeps this quick.
    const tools = { ...toolsAt(NOW, random), hash: () => '' };
    for (let index = 0; index < count; index++) {
      const code = emailCode.challenge!(tools, ada, signingIn).messages[0]!.code!;
      assert.match(code, /^[0-9]{6}$/);
      for (const [place, digit] of [...code].entries()) seen[place]![Number(digit)]! += 1;
    }
    const expected = count / 10;
    for (const [place, counts] of seen.entries()) {
      const chiSquare = counts.reduce((sum, observed) => sum + (observed - expected) ** 2 / expected, 0);
      // 27.9 is passed once in a thousand times by nine degrees of freedom; the seed makes it the same every time.
      assert.ok(chiSquare < 27.9, `digit ${place + 1}: ${chiSquare}`);
    }
    assert.ok(Math.abs(seen[0]![0]! / count - 0.1) < 0.005, 'a tenth starts with 0');
  });

  test('EC-8: what is kept holds no code, and the code is in no subject', () => {
    const { challenge, message, code } = sent();
    assert.ok(!JSON.stringify(challenge).includes(code));
    const { code: _first, ...rest } = message;
    assert.ok(!JSON.stringify(rest).includes(code));
    const other = makeKeys([{ id: 'other', secret: new Uint8Array(32).fill(8) }]);
    assert.equal(answer(challenge, code, { hash: other.hash }), 'code-wrong', 'the hash is keyed');
  });

  test('the mail says for what, from where, until when and what to do if it was not them', () => {
    const { message } = sent();
    assert.deepEqual(message.to, { name: 'Ada', address: 'ada@example.org' });
    assert.match(message.subject, /Example Ltd/);
    assert.match(message.paragraphs.join(' '), /Example Ltd to sign in\b.*once.*ten minutes/);
    assert.deepEqual(message.asked, { userAgent: 'Firefox', address: '192.0.2.7', at: NOW });
    assert.equal(message.expiresAt, NOW + CODE_LIFETIME);
    assert.match(message.notYou, /Change your password/);
    assert.match(sent({ occasion: { ...signingIn, purpose: 'verify-email' } }).message.notYou, /Nothing happens without it/);
  });
});

describe('checking it', () => {
  test('the right code is accepted, typed as people type', () => {
    const { challenge, code } = sent();
    const halves = [code.slice(0, 3), code.slice(3)];
    const arabic = [...code].map((digit) => String.fromCodePoint(0x660 + Number(digit))).join('');
    const fullWidth = [...code].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
    for (const typed of [code, halves.join(' '), halves.join('-'), ` ${code}\n`, arabic, fullWidth]) assert.equal(answer(challenge, typed), 'right', typed);
  });

  test('a wrong code is wrong, and what can’t be one is malformed', () => {
    const { challenge, code } = sent();
    assert.equal(answer(challenge, otherThan(code)), 'code-wrong');
    for (const typed of ['', '12345', `${code}0`, 'abcdef', '12345O']) assert.equal(answer(challenge, typed), 'code-malformed', typed);
  });

  test('EC-2: good at 9:59, dead at 10:00, by the server’s clock', () => {
    const { challenge, code } = sent();
    assert.equal(CODE_LIFETIME, minutes(10));
    assert.equal(answer(challenge, code, { now: NOW + minutes(10) - seconds(1) }), 'right');
    assert.equal(answer(challenge, code, { now: NOW + minutes(10) - 1 }), 'right');
    assert.equal(answer(challenge, code, { now: NOW + minutes(10) }), 'code-expired');
    assert.equal(answer(challenge, otherThan(code), { now: NOW + minutes(10) }), 'code-expired', 'and then nothing is compared');
  });

  test('EC-3: without a challenge, since the code was used, nothing is right', () => {
    assert.equal(answer(undefined, sent().code), 'code-expired');
  });

  test('EC-4: bound to attempt, purpose, account and address', () => {
    const { challenge, code } = sent();
    assert.equal(answer(challenge, code, { occasion: { ...signingIn, attemptId: 'another browser’s' } }), 'code-expired');
    for (const purpose of ['disable', 'new-recovery-key', 'confirm', 'verify-email', 'change-email']) {
      assert.equal(answer(challenge, code, { occasion: { ...signingIn, purpose } }), 'code-expired', purpose);
    }
    assert.equal(answer(challenge, code, { person: { ...ada, accountId: 'eve' } }), 'code-expired');
    assert.equal(answer(challenge, code, { person: { ...ada, email: 'new@example.org' } }), 'code-expired', 'the address was changed since');
  });

  test('EC-4: each of these is in the hash too, so that a challenge put elsewhere is worth nothing', () => {
    const { challenge, code } = sent();
    for (const change of [{ attemptId: 'x' }, { purpose: 'disable' }, { accountId: 'eve' }, { address: 'eve@example.org' }]) {
      const moved = { ...challenge, ...change };
      const person = { ...ada, accountId: moved.accountId, email: moved.address };
      const occasion = { ...signingIn, attemptId: moved.attemptId, purpose: moved.purpose };
      assert.equal(answer(moved, code, { person, occasion }), 'code-wrong', JSON.stringify(change));
    }
  });

  test('EC-5: a newer code does not open the older challenge, nor the other way round', () => {
    const random = seededRandom(5);
    const [older, newer] = [sent({ random }), sent({ random })];
    assert.notEqual(older.code, newer.code);
    assert.equal(answer(newer.challenge, older.code), 'code-wrong');
    assert.equal(answer(older.challenge, newer.code), 'code-wrong');
  });

  test('property: of all codes only the one that was sent is right', () => {
    const { challenge, code } = sent();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), (number) => {
        const typed = String(number).padStart(6, '0');
        assert.equal(answer(challenge, typed), typed === code ? 'right' : 'code-wrong');
      }),
    );
  });
});

test('EC-9: setting it up takes a code that was sent to the address, and keeps that address', () => {
  const { pending, messages } = emailCode.begin(toolsAt(NOW), ada, { ...signingIn, purpose: 'enrol' });
  const code = messages[0]!.code!;
  assert.deepEqual(emailCode.confirm(toolsAt(NOW), pending, otherThan(code)), { ok: false, reason: 'code-wrong' });
  assert.deepEqual(emailCode.confirm(toolsAt(NOW + CODE_LIFETIME), pending, code), { ok: false, reason: 'code-expired' });
  assert.deepEqual(emailCode.confirm(toolsAt(NOW), pending, code), { ok: true, state: { address: 'ada@example.org' } });
});

test('AL-1: it is level 1, with a private name, and called the weakest', () => {
  assert.equal(emailCode.assurance, 1);
  assert.deepEqual(emailCode.amr, ['email']);
  assert.equal(emailCode.words.caution, 'weakest');
  assert.equal(emailCode.triesPerAttempt, 5);
});
