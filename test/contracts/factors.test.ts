/** What every factor owes, asked of each one in the registry as a pure module. factors-stored.test.ts asks the same of them over both databases. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AnyFactor, Enrolled, FactorRefusal, Occasion, Person, Tools } from '../../src/factors/contract.ts';
import { factorOf, factors } from '../../src/factors/registry.ts';
import { hours } from '../../src/platform/durations.ts';
import { html } from '../../src/platform/html/html.ts';
import { alonePage } from '../../src/platform/html/layout.ts';
import type { Message } from '../../src/platform/mail/message.ts';
import { makeKeys } from '../../src/platform/secrets/keys.ts';
import { checkHtml } from '../support/html-check.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { examples, type Example } from './factor-examples.ts';

const NOW = Date.UTC(2027, 1, 2, 9, 0, 0);
const keys = makeKeys([{ id: 'test', secret: new Uint8Array(32).fill(7) }]);
const ada: Person = { accountId: 'ada', name: 'Ada', email: 'ada@example.org', language: 'en' };
const signingIn: Occasion = { attemptId: 'attempt', purpose: 'sign-in', reason: 'to sign in', userAgent: 'Firefox', address: '192.0.2.7' };
const REFUSALS: readonly FactorRefusal[] = ['code-malformed', 'code-wrong', 'code-expired', 'code-used'];

const toolsAt = (now: number, seed = 1): Tools => ({
  now,
  random: seededRandom(seed),
  hash: keys.hash,
  installationName: 'Example Ltd',
  origin: 'https://example.org',
});

/** One factor set up, its challenge made, and the answer to it known. */
function ready(example: Example, now = NOW) {
  const { factor } = example;
  const state = example.enrol(toolsAt(now), ada, signingIn);
  const made: { challenge: unknown; messages: readonly Message[] } = factor.challenge?.(toolsAt(now, 2), ada, signingIn) ?? {
    challenge: undefined,
    messages: [],
  };
  const { challenge, messages } = made;
  return { state, challenge, messages, right: example.rightAnswer({ state, messages, now }) };
}

type Asked = { state: unknown; challenge: unknown; answer: string; now?: number; occasion?: Occasion };

function verify(factor: AnyFactor, { state, challenge, answer, now = NOW, occasion = signingIn }: Asked) {
  const enrolled: Enrolled<unknown>[] = [{ id: 'one', name: 'one', state, createdAt: NOW, lastUsedAt: null }];
  return factor.verify(toolsAt(now, 3), { enrolled, challenge, answer, person: ada, occasion });
}

test('every factor of the registry has an example, and every example is of one', () => {
  assert.deepEqual(factors.map((factor) => factor.kind).toSorted(), examples.map(({ factor }) => factor.kind).toSorted());
});

describe('the registry', () => {
  test('is in order, the strongest first, and finds each by its kind', () => {
    assert.deepEqual(
      factors.map((factor) => factor.strength),
      factors.map((factor) => factor.strength).toSorted((one, other) => other - one),
    );
    assert.equal(new Set(factors.map((factor) => factor.kind)).size, factors.length);
    for (const factor of factors) assert.equal(factorOf(factor.kind), factor);
    assert.throws(() => factorOf('carrier-pigeon'), /carrier-pigeon/);
  });

  test('has one factor that proves the mailbox, one that is replaced by use and one that is gone by it, which the flows count on', () => {
    assert.equal(factors.filter((factor) => factor.provesEmail).length, 1);
    assert.equal(factors.filter((factor) => factor.afterUse === 'replaced').length, 1);
    assert.equal(factors.filter((factor) => factor.afterUse === 'gone').length, 1);
    for (const { stands, afterUse, signsInOnly } of factors) {
      assert.equal(stands, afterUse === 'stays');
      assert.ok(!signsInOnly || !stands, 'what only signs in is nobody’s own');
    }
  });
});

for (const example of examples) {
  const { factor } = example;

  describe(factor.kind, () => {
    test('enrol, pass', () => {
      const { state, challenge, right } = ready(example);
      const verified = verify(factor, { state, challenge, answer: right });
      assert.ok(verified.ok);
      assert.equal(verified.id, 'one');
    });

    test('wrong', () => {
      const { state, challenge, right } = ready(example);
      const answer = example.wrongAnswer(right);
      assert.ok(factor.wellFormed(answer));
      assert.deepEqual(verify(factor, { state, challenge, answer }), { ok: false, reason: 'code-wrong' });
    });

    test('expired', () => {
      const { state, challenge, right } = ready(example);
      const { goesStale } = example;
      if (goesStale === undefined) return assert.ok(verify(factor, { state, challenge, answer: right, now: NOW + hours(24 * 365 * 10) }).ok);
      assert.ok(verify(factor, { state, challenge, answer: right, now: NOW + goesStale.after - 1 }).ok);
      assert.deepEqual(verify(factor, { state, challenge, answer: right, now: NOW + goesStale.after }), { ok: false, reason: goesStale.reason });
    });

    test('replayed with the state that was kept', () => {
      const { state, challenge, right } = ready(example);
      const first = verify(factor, { state, challenge, answer: right });
      assert.ok(first.ok);
      // Whoever calls drops the challenge with the success; another attempt never had it.
      const again = verify(factor, { state: first.state, challenge: undefined, answer: right, occasion: { ...signingIn, attemptId: 'another' } });
      assert.deepEqual(again, { ok: false, reason: example.replayed });
    });

    test('what is handed in is not changed', () => {
      const { state, challenge, right } = ready(example);
      const before = structuredClone({ state, challenge });
      verify(factor, { state, challenge, answer: right });
      assert.deepEqual({ state, challenge }, before);
    });

    test('states, pendings and challenges come back from JSON through their shapes as they were', () => {
      const { state, challenge, right } = ready(example);
      const verified = verify(factor, { state, challenge, answer: right });
      assert.ok(verified.ok);
      for (const one of [state, verified.state]) assert.deepEqual(factor.state.parse(JSON.parse(JSON.stringify(one))), one);
      const { pending } = factor.begin(toolsAt(NOW), ada, signingIn) as { pending: unknown };
      assert.deepEqual(factor.pending.parse(JSON.parse(JSON.stringify(pending))), pending);
      if (challenge !== undefined) assert.deepEqual(factor.challengeState.parse(JSON.parse(JSON.stringify(challenge))), challenge);
    });

    test('states of earlier releases are read', () => {
      assert.ok(example.releasedStates.length > 0);
      for (const state of example.releasedStates) {
        assert.deepEqual(factor.state.parse(state), state);
        const { challenge, right } = ready(example);
        assert.ok(!verify(factor, { state, challenge, answer: example.wrongAnswer(right) }).ok);
      }
    });

    test('what can’t be an answer is malformed, with and without a challenge, and never an error', () => {
      const { state, challenge } = ready(example);
      const { pending } = factor.begin(toolsAt(NOW), ada, signingIn) as { pending: unknown };
      const looksLikeOne = fc
        .array(fc.constantFrom('0', '7', 'K', 'u', '-', ' ', '٣', '＄', '\u0000', '\ud800', '1e5', '../'), { maxLength: 40 })
        .map((parts) => parts.join(''));
      const anything = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string(),
        looksLikeOne,
        fc.constantFrom('__proto__', 'null', 'NaN', 'x'.repeat(4096)),
      );
      fc.assert(
        fc.property(anything, fc.boolean(), (answer, asked) => {
          const verified = verify(factor, { state, challenge: asked ? challenge : undefined, answer });
          const confirmed = factor.confirm(toolsAt(NOW), pending, answer) as { ok: boolean; reason?: FactorRefusal };
          if (factor.wellFormed(answer)) return;
          assert.deepEqual(verified, { ok: false, reason: 'code-malformed' });
          assert.equal(confirmed.ok, false);
        }),
      );
    });

    test('nothing is right for an account that has none of it', () => {
      const { challenge, right } = ready(example);
      const verified = factor.verify(toolsAt(NOW), { enrolled: [], challenge, answer: right, person: ada, occasion: signingIn });
      assert.equal(verified.ok, false);
    });

    test('a message says its code first and never in the subject, and goes to the person alone', () => {
      const { messages } = ready(example);
      for (const { to, subject, code, paragraphs, notYou } of messages) {
        assert.equal(to.address, ada.email);
        if (code !== undefined) assert.ok(![subject, ...paragraphs, notYou].some((text) => text.includes(code)));
      }
    });

    test('every refusal is a sentence that says what to do', () => {
      const { words } = factor;
      for (const reason of REFUSALS) assert.match(words.refusal(reason), /^[A-Z].{30,}[.]$/, reason);
      assert.notEqual(words.refusal('code-malformed'), words.refusal('code-wrong'));
      for (const text of [words.name, words.enable, words.invitation, words.label]) assert.notEqual(text, '');
    });

    test('AL-1, AL-2, AL-3: what it claims to prove fits its level', () => {
      assert.ok(factor.amr.length > 0 && !factor.amr.includes('mfa'), 'one factor alone is never several');
      if (factor.assurance === 1) assert.ok(!factor.amr.some((value) => ['otp', 'sms', 'hwk', 'swk', 'user', 'pin'].includes(value)));
      if (factor.assurance === 1) assert.ok(factor.words.caution, 'the weak say so');
      assert.ok(factor.most >= 1);
    });

    test('its pages are valid HTML, whatever the names hold', () => {
      const hostile = '"><script>alert(1)</script>&amp;';
      const person = { ...ada, name: hostile, email: `${hostile}@example.org` };
      const { state } = ready(example);
      const enrolled = ['first', hostile].map((name) => ({ id: name, name, state, createdAt: NOW, lastUsedAt: null }));
      const { pending } = factor.begin({ ...toolsAt(NOW), installationName: hostile }, person, signingIn) as { pending: unknown };
      const shown = [
        factor.pages.ask({ person, enrolled, installationName: hostile, sent: true }),
        factor.pages.begin({ person, installationName: hostile }),
        factor.pages.confirm({ person, pending: pending, installationName: hostile }),
      ];
      for (const { heading, body } of shown) {
        assert.ok(!String(body).includes('<script>'));
        const page = alonePage({ installationName: 'Example Ltd', language: 'en', title: heading, body: html`<div>${body}</div>` });
        // The layout leaves blanks where a piece is left out, which is no fault.
        checkHtml(String(page).replaceAll(/[ \t]+$/gm, ''), `${factor.kind}: ${heading}`);
      }
    });
  });
}
