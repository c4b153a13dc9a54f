import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import jsqrModule from 'jsqr';
import { Secret, TOTP, URI } from 'otpauth';
import { generateSync } from 'otplib';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { minutes, seconds } from '../../platform/durations.ts';
import { makeKeys } from '../../platform/secrets/keys.ts';
import type { Enrolled, Occasion, Person, Tools } from '../contract.ts';
import { ALGORITHMS, codeAt, keyUri, matchingStep, stepAt, totp, verifyCode, type TotpState } from './totp.ts';

// The package says `export default` in its types and is a function at run time.
const readQrCode = jsqrModule as unknown as typeof jsqrModule.default;

const NOW = Date.UTC(2027, 1, 2, 9, 0, 10);
const ada: Person = { accountId: 'ada', name: 'Ada', email: 'ada@example.org', language: 'en' };
const signingIn: Occasion = { attemptId: 'attempt', purpose: 'sign-in', reason: 'to sign in', userAgent: '', address: '' };

function toolsAt(now: number, seed = 1): Tools {
  const keys = makeKeys([{ id: 'test', secret: new Uint8Array(32).fill(7) }]);
  return { now, random: seededRandom(seed), hash: keys.hash, installationName: 'Example Ltd', origin: 'https://example.org' };
}

const ascii = (text: string): string => Secret.fromLatin1(text).base32;
const sha1 = (secret: string) => ({ secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30 }) as const;

function app(id: string, lastStep: number | null = null): Enrolled<TotpState> {
  const secret = Secret.fromLatin1(`the secret of ${id}`.padEnd(20, '.')).base32;
  return { id, name: id, state: { ...sha1(secret), lastStep }, createdAt: 0, lastUsedAt: null };
}

describe('published vectors', () => {
  test('TO-1: RFC 4226 appendix D, with 6 digits and, from its decimal column, with 8', () => {
    const parameters = sha1(ascii('12345678901234567890'));
    const rows = [
      ['755224', 1284755224],
      ['287082', 1094287082],
      ['359152', 137359152],
      ['969429', 1726969429],
      ['338314', 1640338314],
      ['254676', 868254676],
      ['287922', 1918287922],
      ['162583', 82162583],
      ['399871', 673399871],
      ['520489', 645520489],
    ] as const;
    for (const [counter, [code, decimal]] of rows.entries()) {
      assert.equal(codeAt(parameters, counter), code);
      assert.equal(codeAt({ ...parameters, digits: 8 }, counter), String(decimal % 10 ** 8).padStart(8, '0'));
    }
  });

  // The appendix speaks of one secret of 20 bytes; the rows of SHA-256 and SHA-512 are made with the seeds of 32 and 64 bytes of its program.
  test('TO-1: RFC 6238 appendix B, for all three hashes, and with 6 digits', () => {
    const seeds = {
      SHA1: '12345678901234567890',
      SHA256: '12345678901234567890123456789012',
      SHA512: '1234567890123456789012345678901234567890123456789012345678901234',
    };
    const rows = [
      [59, 0x1, '94287082', '46119246', '90693936', '287082'],
      [1111111109, 0x23523ec, '07081804', '68084774', '25091201', '081804'],
      [1111111111, 0x23523ed, '14050471', '67062674', '99943326', '050471'],
      [1234567890, 0x273ef07, '89005924', '91819424', '93441116', '005924'],
      [2000000000, 0x3f940aa, '69279037', '90698825', '38618901', '279037'],
      [20000000000, 0x27bc86aa, '65353130', '77737706', '47863826', '353130'],
    ] as const;
    for (const [timeSeconds, step, code1, code256, code512, short] of rows) {
      for (const [algorithm, code] of [
        ['SHA1', code1],
        ['SHA256', code256],
        ['SHA512', code512],
      ] as const) {
        const parameters = { secret: ascii(seeds[algorithm]), algorithm, digits: 8, periodSeconds: 30 } as const;
        assert.equal(stepAt(parameters, seconds(timeSeconds)), step);
        assert.equal(codeAt(parameters, step), code);
        assert.equal(matchingStep(parameters, code, seconds(timeSeconds)), step);
      }
      assert.equal(codeAt(sha1(ascii(seeds.SHA1)), step), short);
    }
  });

  test('TO-1: the secrets of the Key URI format’s examples', () => {
    const first = sha1('JBSWY3DPEHPK3PXP');
    const second = sha1('HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ');
    for (const [parameters, timeSeconds, code] of [
      [first, 0, '282760'],
      [first, 59, '996554'],
      [first, 1111111109, '071271'],
      [second, 59, '320382'],
      [second, 1111111109, '362012'],
      [second, 1234567890, '566657'],
      [second, 2000000000, '998128'],
    ] as const) {
      assert.equal(codeAt(parameters, stepAt(parameters, seconds(timeSeconds))), code);
    }
  });

  test('RFC 4648: base32 as the secrets are written, with or without padding', () => {
    const rows = { f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' };
    for (const [plain, encoded] of Object.entries(rows)) {
      assert.equal(ascii(plain), encoded);
      const padded = encoded.padEnd(Math.ceil(encoded.length / 8) * 8, '=');
      assert.equal(codeAt(sha1(padded), 1), codeAt(sha1(ascii(plain)), 1));
    }
  });
});

test('TO-1, property: an independent implementation makes the same codes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 64 }),
      fc.constantFrom(...ALGORITHMS),
      fc.constantFrom(6, 8),
      fc.integer({ min: 0, max: 2 ** 40 }),
      (bytes, algorithm, digits, timeSeconds) => {
        const parameters = {
          secret: new Secret({ buffer: Uint8Array.from(bytes).buffer }).base32,
          algorithm,
          digits,
          periodSeconds: 30,
        } as const;
        const expected = generateSync({ secret: bytes, algorithm: algorithm.toLowerCase() as 'sha1', digits, period: 30, epoch: timeSeconds });
        assert.equal(codeAt(parameters, stepAt(parameters, seconds(timeSeconds))), expected);
      },
    ),
    { numRuns: 300 },
  );
});

describe('the window', () => {
  test('TO-3: the present step, one back and one ahead serve; two either way do not', () => {
    const phone = app('phone');
    const present = stepAt(phone.state, NOW);
    const accepted = [-2, -1, 0, 1, 2].map((drift) => verifyCode([phone], codeAt(phone.state, present + drift), NOW).ok);
    assert.deepEqual(accepted, [false, true, true, true, false]);
  });

  test('TO-3: the edges of a step are where RFC 6238 puts them', () => {
    const phone = app('phone');
    const step = stepAt(phone.state, NOW);
    const code = codeAt(phone.state, step);
    const from = seconds((step - 1) * 30);
    const until = seconds((step + 2) * 30);
    assert.deepEqual(
      [from - 1, from, until - 1, until].map((now) => matchingStep(phone.state, code, now)),
      [undefined, step, step, undefined],
    );
  });

  test('at the start of time there is no step before the first', () => {
    const phone = app('phone');
    assert.equal(matchingStep(phone.state, codeAt(phone.state, 0), 0), 0);
    assert.equal(matchingStep(phone.state, codeAt(phone.state, 1), 0), 1);
  });
});

describe('once only', () => {
  test('TO-4: a code is not accepted twice, and the refusal says why', () => {
    const phone = app('phone');
    const code = codeAt(phone.state, stepAt(phone.state, NOW));
    const first = verifyCode([phone], code, NOW);
    assert.ok(first.ok);
    const again = verifyCode([{ ...phone, state: first.state }], code, NOW);
    assert.deepEqual(again, { ok: false, reason: 'code-used' });
    assert.deepEqual(verifyCode([{ ...phone, state: first.state }], '000000' === code ? '111111' : '000000', NOW), { ok: false, reason: 'code-wrong' });
  });

  test('TO-4: after the code of a step, that of the step before is refused and that of the next accepted', () => {
    const present = stepAt(app('phone').state, NOW);
    const phone = app('phone', present);
    assert.deepEqual(verifyCode([phone], codeAt(phone.state, present - 1), NOW), { ok: false, reason: 'code-used' });
    assert.ok(verifyCode([phone], codeAt(phone.state, present + 1), NOW).ok);
  });

  test('TO-4: a clock that was set back does not make old codes good', () => {
    const phone = app('phone', stepAt(app('phone').state, NOW));
    const earlier = NOW - minutes(5);
    assert.deepEqual(verifyCode([phone], codeAt(phone.state, stepAt(phone.state, earlier)), earlier), { ok: false, reason: 'code-used' });
  });

  test('TO-4, property: in any order of codes the accepted steps only ever rise', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ wait: fc.integer({ min: 0, max: 70 }), drift: fc.integer({ min: -3, max: 3 }) }), { maxLength: 12 }), (tries) => {
        let phone = app('phone');
        let now = NOW;
        const accepted: number[] = [];
        for (const { wait, drift } of tries) {
          now += seconds(wait);
          const verified = verifyCode([phone], codeAt(phone.state, stepAt(phone.state, now) + drift), now);
          if (!verified.ok) continue;
          phone = { ...phone, state: verified.state };
          accepted.push(verified.state.lastStep!);
        }
        assert.deepEqual(
          accepted,
          [...new Set(accepted)].sort((one, other) => one - other),
        );
      }),
    );
  });
});

describe('several apps', () => {
  test('a code of any of them is accepted, and only that one’s step is used', () => {
    const apps = [app('phone'), app('tablet'), app('laptop')];
    const tablet = apps[1]!;
    const step = stepAt(tablet.state, NOW);
    assert.deepEqual(verifyCode(apps, codeAt(tablet.state, step), NOW), { ok: true, id: 'tablet', state: { ...tablet.state, lastStep: step } });
  });

  test('a code that one has used and another has not is the other’s', () => {
    const step = stepAt(app('phone').state, NOW);
    // Two apps with one secret stand for two whose codes happen to be the same.
    const used = app('phone', step);
    const fresh = { ...used, id: 'tablet', state: { ...used.state, lastStep: null } };
    const verified = verifyCode([used, fresh], codeAt(used.state, step), NOW);
    assert.ok(verified.ok && verified.id === 'tablet');
    assert.deepEqual(verifyCode([used], codeAt(used.state, step), NOW), { ok: false, reason: 'code-used' });
  });

  test('an account without an app refuses every code', () => {
    assert.deepEqual(verifyCode([], '123456', NOW), { ok: false, reason: 'code-wrong' });
  });
});

describe('enrolling', () => {
  test('TO-2: the secret has 160 bits from the machine’s randomness, a new one each time', () => {
    const tools = toolsAt(NOW);
    const secrets = Array.from({ length: 100 }, () => totp.begin(tools, ada, signingIn).pending.secret);
    for (const secret of secrets) assert.equal(Secret.fromBase32(secret).bytes.length, 20);
    assert.equal(new Set(secrets).size, 100);
    assert.deepEqual(Secret.fromBase32(secrets[0]!).bytes, toolsAt(NOW).random.bytes(20));
  });

  test('TO-9: one right code is needed, and it is spent by that', () => {
    const { pending } = totp.begin(toolsAt(NOW), ada, signingIn);
    const step = stepAt(pending, NOW);
    const code = codeAt(pending, step);
    assert.deepEqual(totp.confirm(toolsAt(NOW), pending, codeAt(pending, step - 5)), { ok: false, reason: 'code-wrong' });
    assert.deepEqual(totp.confirm(toolsAt(NOW), pending, 'hello'), { ok: false, reason: 'code-malformed' });
    const confirmed = totp.confirm(toolsAt(NOW), pending, code);
    assert.ok(confirmed.ok);
    assert.equal(confirmed.state.lastStep, step);
    assert.deepEqual(totp.state.parse(confirmed.state), confirmed.state);
    const enrolled = [{ id: 'phone', name: 'phone', state: confirmed.state, createdAt: NOW, lastUsedAt: null }];
    assert.deepEqual(verifyCode(enrolled, code, NOW), { ok: false, reason: 'code-used' });
  });

  test('TO-9: a secret that nobody confirmed lapses after ten minutes', () => {
    const { pending } = totp.begin(toolsAt(NOW), ada, signingIn);
    const confirmAt = (now: number) => totp.confirm(toolsAt(now), pending, codeAt(pending, stepAt(pending, now)));
    assert.ok(confirmAt(NOW + minutes(10) - 1).ok);
    assert.deepEqual(confirmAt(NOW + minutes(10)), { ok: false, reason: 'code-expired' });
    assert.match(totp.words.refusal('code-expired'), /“Back”/);
  });

  test('TO-9: the code of an earlier enrolment does not confirm a later one', () => {
    const tools = toolsAt(NOW);
    const [earlier, later] = [totp.begin(tools, ada, signingIn).pending, totp.begin(tools, ada, signingIn).pending];
    assert.deepEqual(totp.confirm(tools, later, codeAt(earlier, stepAt(earlier, NOW))), { ok: false, reason: 'code-wrong' });
  });
});

describe('the Key URI', () => {
  const secret = 'HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ';

  test('TO-8: is the second example of the format, to the letter', () => {
    assert.equal(
      keyUri({ ...sha1(secret), issuer: 'ACME Co', account: 'john.doe@email.com' }).replace('%40', '@'),
      `otpauth://totp/ACME%20Co:john.doe@email.com?secret=${secret}&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30`,
    );
  });

  test('TO-8: two parsers of others read it as it was meant, whatever the names are', () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 40 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      fc.constantFrom('A&B', 'Zwei: Eins', 'a%3Ab', '50%', 'x?y#z', 'Ümläut GmbH'),
    );
    fc.assert(
      fc.property(name, fc.emailAddress(), fc.constantFrom(...ALGORITHMS), fc.constantFrom(6, 8), (issuer, account, algorithm, digits) => {
        fc.pre(issuer.replaceAll(':', '').trim() !== '');
        const uri = keyUri({ secret, algorithm, digits, periodSeconds: 30, issuer, account });
        const parsed = URI.parse(uri);
        assert.ok(parsed instanceof TOTP);
        const url = new URL(uri);
        assert.equal(parsed.issuer, url.searchParams.get('issuer'));
        assert.ok(!parsed.issuer.includes(':') && !parsed.label.includes(':'));
        assert.deepEqual(decodeURIComponent(url.pathname.slice(1)).split(':'), [parsed.issuer, parsed.label]);
        assert.ok(account.startsWith(parsed.label));
        assert.deepEqual(
          [parsed.label, parsed.secret.base32, parsed.algorithm, parsed.digits, parsed.period],
          [encodeURIComponent(account).length > 180 ? parsed.label : account, secret, algorithm, digits, 30],
        );
      }),
      { numRuns: 300 },
    );
  });

  test('TO-8: a colon, which parts issuer and account, is taken out of both', () => {
    const uri = keyUri({ ...sha1(secret), issuer: 'Example: Portal', account: 'a:b@example.org' });
    assert.ok(uri.startsWith('otpauth://totp/Example%20Portal:a%20b%40example.org?'), uri);
    assert.ok(uri.includes('&issuer=Example%20Portal&'), uri);
  });

  test('the longest names and half characters make no error and a code that phones can scan', () => {
    const uri = keyUri({ ...sha1(secret), issuer: '鍵'.repeat(200), account: `${'é'.repeat(120)}\ud800@example.org` });
    assert.ok(uri.length < 500, `${uri.length}`);
    assert.doesNotThrow(() => decodeURIComponent(uri));
  });
});

describe('the dialog', () => {
  const { pending } = totp.begin(toolsAt(NOW), ada, signingIn);
  const shown = totp.pages.confirm({ person: ada, pending, installationName: 'Example Ltd' });
  const markup = String(shown.body);

  test('its QR code holds the Key URI and has a quiet zone of four modules', () => {
    const { pixels, size, modules, margin } = rasterised(markup);
    assert.equal(margin, 4);
    assert.ok(modules > 20);
    assert.equal(readQrCode(pixels, size, size)?.data, pending.uri);
  });

  test('it shows the secret in groups of four, a copy button and a link for this phone', () => {
    assert.ok(shown.dialog);
    assert.equal(shown.button, 'Verify');
    const groups = /id="secret">([A-Z2-7 ]+)</.exec(markup)![1]!;
    assert.match(groups, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    assert.equal(groups.replaceAll(' ', ''), pending.secret);
    assert.ok(markup.includes(`data-copy="${pending.secret}"`));
    assert.ok(markup.includes(`href="${pending.uri.replaceAll('&', '&amp;')}"`));
    assert.match(markup, /role="img" aria-label="QR code/);
  });

  test('the longest names still make one', () => {
    const person = { ...ada, email: `${'ü'.repeat(30)}@${'ß'.repeat(60)}.example` };
    const long = totp.begin({ ...toolsAt(NOW), installationName: '鍵'.repeat(60) }, person, signingIn).pending;
    const { pixels, size } = rasterised(String(totp.pages.confirm({ person, pending: long, installationName: '' }).body));
    assert.equal(readQrCode(pixels, size, size)?.data, long.uri);
  });

  test('the page that asks for a code names the apps, where they have names', () => {
    const ask = (...names: string[]) => {
      const enrolled = names.map((name) => ({ ...app('phone'), name }));
      return String(totp.pages.ask({ person: ada, enrolled, installationName: 'Example Ltd', sent: true }).body).replaceAll(/<[^>]*>/g, '');
    };
    assert.equal(ask('Ada’s phone'), 'Open your authenticator app (Ada’s phone) and enter the six digits it shows for Example Ltd.');
    assert.equal(ask('Phone', '<Tablet>'), 'Open one of your authenticator apps (Phone, &lt;Tablet&gt;) and enter the six digits it shows for Example Ltd.');
    assert.equal(ask(totp.words.name), 'Open your authenticator app and enter the six digits it shows for Example Ltd.');
  });
});

/** Draws the QR code of a page as a camera would see it: four pixels a module, black on white. */
function rasterised(markup: string): { pixels: Uint8ClampedArray; size: number; modules: number; margin: number } {
  const width = Number(/viewBox="0 0 (\d+) \1"/.exec(markup)![1]);
  const corners = [...markup.matchAll(/M(\d+),(\d+)h1v1h-1z/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  const scale = 4;
  const size = width * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (const [x, y] of corners) {
    for (let row = y * scale; row < (y + 1) * scale; row++) {
      for (let column = x * scale; column < (x + 1) * scale; column++) pixels.fill(0, (row * size + column) * 4, (row * size + column) * 4 + 3);
    }
  }
  const margin = Math.min(...corners.flat());
  return { pixels, size, modules: width - 2 * margin, margin };
}
