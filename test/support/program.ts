/**
 * The program as operators run it: `twinlock` in a process and a folder of its own, on a port that was free.
 *   using workplace = new Workplace();
 *   await using portal = await workplace.serve({ TWINLOCK_NAME: 'Example' });
 *   await fetch(`${portal.address}/sign-in`);
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MailServer } from './mail-server.ts';
import { freePort } from './ports.ts';

const TWINLOCK = fileURLToPath(new URL('../../bin/twinlock', import.meta.url));
const START_MILLISECONDS_MOST = 30_000;
/** For people, and in the log. */
const READY = / is ready: open |"event":"started"/;
/** What was compiled is kept in one place, whatever folder a command is run in; and the Node.js that was found for the tests need not be looked for again. */
const KEPT = {
  TWINLOCK_NODE: process.execPath,
  ...(process.env['NODE_COMPILE_CACHE'] === undefined ? {} : { NODE_COMPILE_CACHE: path.resolve(process.env['NODE_COMPILE_CACHE']) }),
};

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A folder where an operator works: .env, data and keys are looked for here. */
export class Workplace implements Disposable {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'twinlock-program-'));

  /** Runs a command to its end. */
  async run(words: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
    const { child, said } = this.#spawn(words, environment);
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, ...said };
  }

  /** Starts the portal and waits until it answers; throws with what it said where it ends instead. */
  async serve(environment: Record<string, string> = {}, { development = true }: { development?: boolean } = {}): Promise<Serving> {
    const port = environment['TWINLOCK_PORT'] ?? String(await freePort());
    const { child, said } = this.#spawn(['serve', ...(development ? ['--development'] : [])], { TWINLOCK_PORT: port, ...environment });
    const serving = new Serving(child, said, `http://localhost:${port}`);
    await serving.ready();
    return serving;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #spawn(words: readonly string[], environment: Record<string, string>): { child: ChildProcess; said: { output: string; errors: string } } {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TWINLOCK_')));
    const child = spawn(TWINLOCK, words, { cwd: this.directory, env: { ...inherited, ...KEPT, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { output: '', errors: '' };
    child.stdout.on('data', (part: Buffer) => (said.output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (said.errors += part.toString()));
    return { child, said };
  }
}

export class Serving implements AsyncDisposable {
  readonly address: string;
  readonly said: { readonly output: string; readonly errors: string };
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(child: ChildProcess, said: Serving['said'], address: string) {
    this.#child = child;
    this.said = said;
    this.address = address;
    this.#ended = once(child, 'close').then(() => undefined);
  }

  /** It says so once it listens; when it then answers, it has also begun to heed signals. */
  async ready(): Promise<void> {
    const ended = this.#ended.then(() => {
      throw new Error(`twinlock ended with ${this.#child.exitCode}: ${this.said.errors}${this.said.output}`);
    });
    await Promise.race([ended, this.says('stdout', READY)]);
    const { status } = await fetch(`${this.address}/healthz`, { signal: AbortSignal.timeout(START_MILLISECONDS_MOST) });
    if (status !== 200) throw new Error(`twinlock answered ${status}: ${this.said.errors}${this.said.output}`);
  }

  /** What it says there, once it has said it: some of it comes after the first answer. */
  async says(where: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    const stream = this.#child[where]!;
    for (;;) {
      const found = pattern.exec(where === 'stdout' ? this.said.output : this.said.errors);
      if (found) return found;
      await once(stream, 'data', { signal: AbortSignal.timeout(START_MILLISECONDS_MOST) });
    }
  }

  /** By the signal that service managers send: it finishes what it has begun. Returns the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#child.exitCode;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
}

/** Just enough of a browser for a program that runs in another process. */
export class CookieBrowser {
  readonly #address: string;
  readonly #cookies = new Map<string, string>();
  page = '';

  constructor(address: string) {
    this.#address = address;
  }

  /** Signs up, and enters the code that comes by mail. `then`: the link that led there. */
  static async join(
    portal: Serving,
    mail: MailServer,
    { email, name = 'Ada Example', then = '' }: { email: string; name?: string; then?: string },
  ): Promise<CookieBrowser> {
    const browser = new CookieBrowser(portal.address);
    await browser.get(then === '' ? '/sign-up' : `/sign-up?then=${encodeURIComponent(then)}`);
    await browser.post('/sign-up', { name, email, password: 'seven quiet herons at dusk', then });
    await browser.post('/verify-email/code', { code: (await mail.next(email)).text.slice(0, 6) });
    return browser;
  }

  async get(address: string): Promise<void> {
    await this.#send(address, {});
  }

  async post(address: string, fields: Record<string, string>): Promise<void> {
    const token = / name="form_token" value="([^"]+)"/.exec(this.page)?.[1] ?? '';
    await this.#send(address, { method: 'POST', body: new URLSearchParams({ form_token: token, ...fields }) });
  }

  async #send(address: string, request: RequestInit): Promise<void> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(this.#address + address, { ...request, redirect: 'manual', headers: { cookie } });
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      this.#cookies.set(name, value);
    }
    const to = response.headers.get('location');
    this.page = await response.text();
    if (to !== null) await this.get(to);
  }
}
