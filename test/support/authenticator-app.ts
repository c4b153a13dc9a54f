import { generateSync } from 'otplib';
import type { Page } from './page.ts';
import type { TestClock } from './world.ts';

/** What a QR code told the app. */
export interface Scanned {
  /** "Example:ada@example.org" */
  readonly label: string;
  readonly secret: string;
  readonly issuer: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly digits: 6 | 8;
  readonly period: number;
}

/** A phone's authenticator app. Its codes are npm's otplib's, which shares nothing with our code: all that it gets is what a page shows. */
export class AuthenticatorApp {
  readonly scanned: Scanned;
  readonly #clock: TestClock;
  #lastReadStep = -1;

  constructor(uri: string, clock: TestClock) {
    this.scanned = scan(uri);
    this.#clock = clock;
  }

  /** Opens the `otpauth://` link of the page that sets an app up. */
  static from(page: Page, clock: TestClock): AuthenticatorApp {
    return new AuthenticatorApp(page.link('Open in an authenticator app on this phone'), clock);
  }

  /** What the app shows at a time (epoch milliseconds), now unless told. */
  shows(at = this.#clock.now()): string {
    const { secret, digits, period, algorithm } = this.scanned;
    return generateSync({ secret, digits, period, algorithm, epoch: Math.floor(at / 1000) });
  }

  /** What the app shows once it shows something that was not read before: where it has to, the person waits, and the clock moves. */
  fresh(): string {
    const milliseconds = this.scanned.period * 1000;
    const step = () => Math.floor(this.#clock.now() / milliseconds);
    if (step() <= this.#lastReadStep) this.#clock.set((this.#lastReadStep + 1) * milliseconds);
    this.#lastReadStep = step();
    return this.shows();
  }
}

/** As the Key URI format has it. Throws where an app would not know what to do. */
function scan(uri: string): Scanned {
  const { protocol, host, pathname, searchParams } = new URL(uri);
  if (protocol !== 'otpauth:' || host !== 'totp') throw new Error(`No authenticator app opens ${uri}.`);
  const algorithm = (searchParams.get('algorithm') ?? 'SHA1').toLowerCase();
  const digits = Number(searchParams.get('digits') ?? 6);
  if (algorithm !== 'sha1' && algorithm !== 'sha256' && algorithm !== 'sha512') throw new Error(`No authenticator app knows the algorithm ${algorithm}.`);
  if (digits !== 6 && digits !== 8) throw new Error(`No authenticator app shows ${digits} digits.`);
  return {
    label: decodeURIComponent(pathname.slice(1)),
    secret: searchParams.get('secret') ?? '',
    issuer: searchParams.get('issuer') ?? '',
    algorithm,
    digits,
    period: Number(searchParams.get('period') ?? 30),
  };
}
