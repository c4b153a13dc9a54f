/**
 * Debian's LemonLDAP::NG as an OpenID provider, on a port of this machine and with settings of its own: another hand's OpenID Connect, in another language.
 * Not part of the tests, since npm has no Perl: `scripts/lemonldap.ts` goes through it. Its accounts are those of its demonstration: dwho has the password dwho.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { OwnAddresses } from '../../src/sso/contract.ts';
import { CookieJar } from './cookie-jar.ts';
import { freePort, untilUp } from './ports.ts';

const TEMPLATES = '/usr/share/lemonldap-ng/portal/templates';
export const IS_MISSING = !existsSync(TEMPLATES) || !existsSync('/usr/bin/plackup');
export const CLIENT = { clientId: 'portal', clientSecret: 'a-secret.of_both' };
const REDIRECTS_MOST = 12;

export class LemonLdap implements AsyncDisposable {
  readonly jar = new CookieJar();
  readonly issuer: string;
  readonly #directory: string;
  readonly #process: ChildProcess;
  #log = '';

  private constructor(issuer: string, directory: string, perl: ChildProcess) {
    this.issuer = issuer;
    this.#directory = directory;
    this.#process = perl;
    for (const stream of [perl.stdout!, perl.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  static async start({ addresses }: { addresses: OwnAddresses }): Promise<LemonLdap> {
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    const directory = mkdtempSync(path.join(os.tmpdir(), 'lemonldap-'));
    writeSettings(directory, issuer, addresses);
    const perl = spawn(
      'plackup',
      ['-s', 'HTTP::Server::PSGI', '--host', '127.0.0.1', '--port', String(port), '-E', 'production', path.join(directory, 'app.psgi')],
      {
        env: { PATH: process.env['PATH'] ?? '', LLNG_DEFAULTCONFFILE: path.join(directory, 'lemonldap.ini') },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const started = new LemonLdap(issuer, directory, perl);
    await untilUp(async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).ok, { name: 'LemonLDAP::NG', log: () => started.#log });
    return started;
  }

  /** Fills in whatever page stands in the way, until it sends the browser to the portal: to that address, which is returned. */
  async goThrough(start: string, fields: Readonly<Record<string, string>> = { user: 'dwho', password: 'dwho' }): Promise<URL> {
    let [url, posted] = [new URL(start), undefined as URLSearchParams | undefined];
    for (let count = 0; count < REDIRECTS_MOST; count += 1) {
      if (url.origin !== this.issuer) return url;
      const cookie = this.jar.header();
      const answer = await fetch(url, {
        ...(posted ? { method: 'POST', body: posted } : {}),
        redirect: 'manual',
        headers: cookie === undefined ? {} : { cookie },
      });
      this.jar.receive(answer.headers.getSetCookie());
      const to = answer.headers.get('location');
      [url, posted] = to === null ? formOf(await answer.text(), url, fields) : [new URL(to, url), undefined];
    }
    throw new Error(`LemonLDAP::NG sends browsers in a circle.\n${this.#log.slice(-3000)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
    rmSync(this.#directory, { recursive: true });
  }
}

function formOf(page: string, at: URL, fields: Readonly<Record<string, string>>): [URL, URLSearchParams] {
  const form = /<form[^>]*action="([^"]*)"[^]*?<\/form>/.exec(page);
  if (!form) throw new Error(`LemonLDAP::NG says: ${page.replaceAll(/<script[^]*?<\/script>|<[^>]*>|\s+/g, ' ').slice(0, 1500)}`);
  const hidden = [...form[0].matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]): [string, string] => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    /value="([^"]*)"/.exec(input)?.[1] ?? '',
  ]);
  const action = form[1] === '' || form[1] === '#' ? at : new URL(form[1]!, at);
  return [action, new URLSearchParams([...hidden, ...Object.entries(fields)])];
}

function writeSettings(directory: string, issuer: string, addresses: OwnAddresses): void {
  for (const folder of ['conf', 'sessions/lock', 'people/lock', 'cache']) mkdirSync(path.join(directory, folder), { recursive: true });
  const kept = (folder: string) => ({ Directory: `${directory}/${folder}`, LockDirectory: `${directory}/${folder}/lock` });
  const settings = {
    cfgNum: 1,
    cfgVersion: '2.16.1',
    cfgAuthor: 'test',
    cfgDate: 1,
    portal: `${issuer}/`,
    domain: 'localhost',
    securedCookie: 0,
    cookieName: 'lemonldap',
    key: 'of nobody, 16 b.',
    timeout: 72_000,
    useSafeJail: 1,
    requireToken: 0,
    logLevel: 'warn',
    authentication: 'Demo',
    userDB: 'Same',
    passwordDB: 'Demo',
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: kept('sessions'),
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: kept('people'),
    localSessionStorage: 'Cache::FileCache',
    localSessionStorageOptions: { cache_root: `${directory}/cache`, namespace: 'x', default_expires_in: 600 },
    demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' },
    whatToTrace: 'uid',
    locationRules: {},
    exportedHeaders: {},
    exportedVars: {},
    groups: {},
    macros: {},
    applicationList: {},
    vhostOptions: {},
    portalMainLogo: 'x.png',
    portalSkin: 'bootstrap',
    templateDir: TEMPLATES,
    staticPrefix: '/static',
    issuerDBOpenIDConnectActivation: 1,
    issuerDBOpenIDConnectPath: '^/oauth2/',
    issuerDBOpenIDConnectRule: 1,
    oidcServiceMetaDataIssuer: issuer,
    ...signingKey(),
    oidcServiceAllowAuthorizationCodeFlow: 1,
    ...clientSettings(addresses),
  };
  const file = (name: string, text: string): void => writeFileSync(path.join(directory, name), text);
  file('conf/lmConf-1.json', JSON.stringify(settings));
  file(
    'lemonldap.ini',
    `[all]\nlogLevel=warn\n[configuration]\ntype=File\ndirName=${directory}/conf\nlocalStorage=Cache::FileCache\nlocalStorageOptions={ 'namespace' => 'c', 'default_expires_in' => 600, 'directory_umask' => '007', 'cache_root' => '${directory}/cache', 'cache_depth' => 0 }\n[portal]\n`,
  );
  file('app.psgi', `use Lemonldap::NG::Portal::Main; Lemonldap::NG::Portal::Main->run({ staticPrefix => '/static', templateDir => '${TEMPLATES}' });\n`);
}

function signingKey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { oidcServicePrivateKeySig: privateKey, oidcServicePublicKeySig: publicKey, oidcServiceKeyIdSig: 'k1' };
}

function clientSettings({ callback, signedOut }: OwnAddresses) {
  return {
    oidcRPMetaDataOptions: {
      portal: {
        oidcRPMetaDataOptionsClientID: CLIENT.clientId,
        oidcRPMetaDataOptionsClientSecret: CLIENT.clientSecret,
        oidcRPMetaDataOptionsRedirectUris: callback,
        oidcRPMetaDataOptionsPostLogoutRedirectUris: signedOut,
        oidcRPMetaDataOptionsBypassConsent: 1,
        oidcRPMetaDataOptionsLogoutBypassConfirm: 1,
        oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsUserIDAttr: 'uid',
        oidcRPMetaDataOptionsRequirePKCE: 1,
      },
    },
    oidcRPMetaDataExportedVars: { portal: { email: 'mail', name: 'cn' } },
  };
}
