/**
 * Debian's SimpleSAMLphp as a provider, on a port of this machine and with settings of its own: another hand's SAML, in another language. Not part of the
 * tests, since npm has no PHP: `scripts/simplesamlphp.ts` goes through it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { OwnAddresses } from '../../src/sso/contract.ts';
import { withoutPemLines, type KeyPair } from '../../src/platform/secrets/certificates.ts';
import { CookieJar } from './cookie-jar.ts';
import { freePort, untilUp } from './ports.ts';
import type { PostedAnswer } from './saml-provider.ts';

const SITE = '/usr/share/simplesamlphp/www';
export const IS_MISSING = !existsSync(SITE);
const REDIRECTS_MOST = 8;

export interface SimpleSamlOptions {
  /** Its own. */
  readonly key: KeyPair;
  readonly addresses: OwnAddresses;
  /** Ours, PEM: what comes has to be signed by it. */
  readonly certificate: string | undefined;
  readonly signsResponse: boolean;
}

export class SimpleSamlPhp implements AsyncDisposable {
  readonly jar = new CookieJar();
  readonly origin: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(origin: string, directory: string, php: ChildProcess) {
    this.origin = origin;
    this.#directory = directory;
    this.#process = php;
  }

  static async start(options: SimpleSamlOptions): Promise<SimpleSamlPhp> {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const directory = mkdtempSync(path.join(os.tmpdir(), 'simplesamlphp-'));
    writeSettings(directory, origin, options);
    const environment = { PATH: process.env['PATH'] ?? '', SIMPLESAMLPHP_CONFIG_DIR: path.join(directory, 'config') };
    const php = spawn('php', ['-S', `localhost:${port}`, '-t', SITE], { env: environment, stdio: 'ignore' });
    const started = new SimpleSamlPhp(origin, directory, php);
    await untilUp(async () => (await fetch(started.metadataAddress)).ok, { name: 'SimpleSAMLphp', log: () => started.#log() });
    return started;
  }

  get metadataAddress(): string {
    return `${this.origin}/saml2/idp/metadata.php`;
  }

  /** Signs Jane in, where it does not know the browser yet. */
  async goThrough(url: string): Promise<PostedAnswer> {
    let { page, at } = await this.#follow(url);
    const state = /name="AuthState" value="([^"]*)"/.exec(page)?.[1];
    if (state !== undefined)
      ({ page, at } = await this.#follow(at, new URLSearchParams({ username: 'jane', password: 'janepass', AuthState: decoded(state) })));
    const field = (name: string): string => decoded(new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '');
    if (field('SAMLResponse') === '') throw new Error(`SimpleSAMLphp says: ${page.replaceAll(/<[^>]*>|\s+/g, ' ')}\n${this.#log()}`);
    return { to: decoded(/<form[^>]*action="([^"]*)"/.exec(page)![1]!), fields: { SAMLResponse: field('SAMLResponse'), RelayState: field('RelayState') } };
  }

  /** Up to the address of the portal that the browser is sent to. */
  async follow(url: string): Promise<string> {
    return (await this.#follow(url)).at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
    rmSync(this.#directory, { recursive: true });
  }

  async #follow(start: string, body?: URLSearchParams): Promise<{ page: string; at: string }> {
    let [at, posted] = [start, body];
    for (let count = 0; count < REDIRECTS_MOST; count += 1) {
      if (!at.startsWith(this.origin)) return { page: '', at };
      const cookie = this.jar.header();
      const answer = await fetch(at, {
        ...(posted ? { method: 'POST', body: posted } : {}),
        redirect: 'manual',
        headers: cookie === undefined ? {} : { cookie },
      });
      this.jar.receive(answer.headers.getSetCookie());
      const to = answer.headers.get('location');
      if (to === null) return { page: await answer.text(), at };
      [at, posted] = [new URL(to, at).href, undefined];
    }
    throw new Error('SimpleSAMLphp sends browsers in a circle.');
  }

  #log(): string {
    const file = path.join(this.#directory, 'log', 'simplesamlphp.log');
    return existsSync(file) ? readFileSync(file, 'utf8').slice(-3000) : '';
  }
}

function writeSettings(directory: string, origin: string, { key, addresses, certificate, signsResponse }: SimpleSamlOptions): void {
  for (const folder of ['config', 'metadata', 'cert', 'log', 'data', 'tmp', 'sessions']) mkdirSync(path.join(directory, folder));
  const php = (file: string, text: string): void => writeFileSync(path.join(directory, file), `<?php\n${text}\n`);
  writeFileSync(path.join(directory, 'cert/idp.pem'), key.privateKey);
  writeFileSync(path.join(directory, 'cert/idp.crt'), key.certificate);
  php(
    'config/config.php',
    `$config = ['baseurlpath' => '${origin}/', 'certdir' => '${directory}/cert/', 'loggingdir' => '${directory}/log/', 'datadir' => '${directory}/data/', 'tempdir' => '${directory}/tmp',
      'technicalcontact_email' => 'na@example.org', 'timezone' => 'UTC', 'secretsalt' => '${'s'.repeat(32)}', 'auth.adminpassword' => 'of nobody', 'logging.handler' => 'file', 'logging.level' => 7,
      'enable.saml20-idp' => true, 'session.cookie.name' => 'SimpleSAML', 'session.phpsession.savepath' => '${directory}/sessions', 'store.type' => 'phpsession',
      'session.cookie.secure' => false, 'session.cookie.samesite' => null, 'language.default' => 'en', 'language.available' => ['en'], 'theme.use' => 'default',
      'metadata.sources' => [['type' => 'flatfile', 'directory' => '${directory}/metadata']], 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
      'trusted.url.domains' => null, 'production' => false, 'showerrors' => true, 'errorreporting' => false];`,
  );
  php(
    'config/authsources.php',
    `$config = ['admin' => ['core:AdminPassword'], 'people' => ['exampleauth:UserPass',
      'jane:janepass' => ['uid' => ['jane'], 'mail' => ['jane@example.org'], 'displayName' => ['Jane Doe'], 'groups' => ['staff', 'admins']]]];`,
  );
  php(
    'metadata/saml20-idp-hosted.php',
    `$metadata['${origin}/idp'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt', 'auth' => 'people', 'sign.logout' => true,
      'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'saml20.sign.response' => ${signsResponse}, 'saml20.sign.assertion' => true];`,
  );
  const keys = certificate === undefined ? '' : `, 'validate.authnrequest' => true, 'validate.logout' => true, 'certData' => '${withoutPemLines(certificate)}'`;
  php(
    'metadata/saml20-sp-remote.php',
    `$metadata['${addresses.metadata}'] = ['AssertionConsumerService' => '${addresses.callback}', 'SingleLogoutService' => '${addresses.logout}', 'SingleLogoutServiceResponse' => '${addresses.signedOut}',
      'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'simplesaml.nameidattribute' => 'uid', 'saml20.sign.assertion' => true${keys}];`,
  );
}

const decoded = (text: string): string =>
  text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(quot|amp|lt|gt));/gi, (_all, decimal?: string, hexadecimal?: string, name?: string) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal))
      : { quot: '"', amp: '&', lt: '<', gt: '>' }[name.toLowerCase()]!,
  );
