import { spawnSync } from 'node:child_process';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';
import { AuthenticatorApp } from './authenticator-app.ts';
import type { TestClock } from './world.ts';

/**
 * A phone that is held in front of the screen. Its camera reads the QR code off a screenshot, and its codes are made by `oathtool` where this
 * machine has it, else by npm's otplib: no part of it is our code, nor the library that our code uses.
 */
export class Phone extends AuthenticatorApp {
  readonly #clock: TestClock;

  private constructor(uri: string, clock: TestClock) {
    super(uri, clock);
    this.#clock = clock;
  }

  static scan(screenshot: Buffer, clock: TestClock): Phone {
    const { data, width, height } = PNG.sync.read(screenshot);
    const found = jsQR.default(new Uint8ClampedArray(data), width, height);
    if (!found) throw new Error('There is no QR code on the screenshot that a scanner could read.');
    return new Phone(found.data, clock);
  }

  override shows(at = this.#clock.now()): string {
    return hasOathtool ? this.#byOathtool(at) : super.shows(at);
  }

  #byOathtool(at: number): string {
    const { secret, digits, period, algorithm } = this.scanned;
    const now = new Date(at).toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
    const made = spawnSync('oathtool', [`--totp=${algorithm}`, '--base32', `--digits=${digits}`, `--time-step-size=${period}s`, `--now=${now}`, '-'], {
      input: secret,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`oathtool refused what the QR code says: ${made.stderr}`);
    return made.stdout.trim();
  }
}

const hasOathtool = spawnSync('oathtool', ['--version']).error === undefined;
