// `twinlock policy`, and what every command does with words that it does not know.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Workplace } from '../support/program.ts';

suite('twinlock policy', () => {
  test('shows the policy, and sets it while the portal runs', async () => {
    using workplace = new Workplace();
    await using portal = await workplace.serve();
    assert.match((await workplace.run(['policy'])).output, /^Two-factor authentication is optional: /);
    const set = await workplace.run(['policy', 'set', 'required']);
    assert.deepEqual([set.status, set.errors], [0, '']);
    assert.match(set.output, /^Two-factor authentication is required: /);

    const browser = new CookieBrowser(portal.address);
    await browser.get('/sign-up');
    await browser.post('/sign-up', { name: 'Ada Example', email: 'ada@example.org', password: 'seven quiet herons' });
    assert.match(browser.page, /<h1>Set up two-factor authentication<\/h1>/);
  });

  test('words that are not understood: what was meant, exit code 2, and nothing changes', async () => {
    using workplace = new Workplace();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['policy', 'set', 'mandatory'], /off, optional, required, not 'mandatory'/],
      [['policy', 'set'], /off, optional, required/],
      [['policy', 'set', 'off', 'now'], /twinlock policy set required/],
      [['policy', 'get'], /twinlock policy set required/],
      [['polcy'], /no command 'polcy'. Did you mean 'policy'\?/],
      [['constructor'], /no command 'constructor'/],
      [['serve', 'now'], /takes no 'now'/],
      [['serve', '--devlopment'], /--devlopment/],
      [['policy', '--development'], /goes with 'twinlock serve' alone/],
      [[], /Which command\?[^]*twinlock serve/],
    ];
    for (const [words, pattern] of cases) {
      const { status, errors, output } = await workplace.run(words);
      assert.deepEqual([status, output], [2, ''], words.join(' '));
      assert.match(errors, pattern);
    }
    assert.match((await workplace.run(['policy'])).output, /optional/);
  });

  test('--help and --version', async () => {
    using workplace = new Workplace();
    assert.match((await workplace.run(['--help'])).output, /twinlock policy set POLICY/);
    assert.match((await workplace.run(['policy', '-h'])).output, /twinlock policy set POLICY/);
    assert.match((await workplace.run(['--version'])).output, /^twinlock \d+\.\d+\.\d+\n$/);
  });
});

/** Just enough of a browser for a program that runs in another process. */
class CookieBrowser {
  readonly #address: string;
  readonly #cookies = new Map<string, string>();
  page = '';

  constructor(address: string) {
    this.#address = address;
  }

  async get(path: string): Promise<void> {
    await this.#send(path, {});
  }

  async post(path: string, fields: Record<string, string>): Promise<void> {
    const token = / name="form_token" value="([^"]+)"/.exec(this.page)?.[1] ?? '';
    await this.#send(path, { method: 'POST', body: new URLSearchParams({ form_token: token, ...fields }) });
  }

  async #send(path: string, request: RequestInit): Promise<void> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(this.#address + path, { ...request, redirect: 'manual', headers: { cookie } });
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      this.#cookies.set(name, value);
    }
    const to = response.headers.get('location');
    this.page = await response.text();
    if (to !== null) await this.get(to);
  }
}
