/**
 * The environment, read into typed settings. Every mistake is found and reported at once, each with the variable's name, what is wrong with it
 * and an example of what would be right; a TWINLOCK_ name that nobody knows is a mistake too, since it was meant to do something.
 */
import { isIP } from 'node:net';
import path from 'node:path';
import { parseEmailAddress } from './platform/mail/address.ts';
import type { Addressee } from './platform/mail/message.ts';
import { ARGON2_FLOOR, type Argon2Parameters } from './platform/secrets/password-hash.ts';
import { nearest } from './platform/words/nearest.ts';
import { canBeShown } from './platform/words/showable.ts';
import type { Installation } from './platform/world.ts';

export interface Settings {
  readonly development: boolean;
  readonly name: string;
  readonly signUp: Installation['signUp'];
  readonly host: string;
  readonly port: number;
  /** Without a trailing slash. */
  readonly origin: string;
  readonly dataDirectory: string;
  readonly database: { readonly engine: 'sqlite'; readonly file: string } | { readonly engine: 'postgres'; readonly url: string };
  readonly keysFile: string;
  /** Undefined: mail is shown and not sent, in development alone. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: Addressee;
  readonly trustedProxies: readonly string[];
  /** Hosts of private networks where identity providers and directories may be, in lower case. */
  readonly privateHosts: readonly string[];
  readonly argon2: Argon2Parameters;
  /** Undefined: audit events are kept for ever. */
  readonly auditRetentionDays: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadSettings = { readonly ok: true; readonly settings: Settings } | { readonly ok: false; readonly mistakes: readonly string[] };

/** Every variable, in the README's order. */
export const VARIABLES = {
  TWINLOCK_PORT: '3000',
  TWINLOCK_HOST: 'localhost',
  TWINLOCK_ORIGIN: 'https://login.example.org',
  TWINLOCK_DATA_DIR: '/var/lib/twinlock',
  TWINLOCK_DATABASE_URL: 'postgres://twinlock:password@db.example.org/twinlock',
  TWINLOCK_SMTP_URL: 'smtp://user:password@mail.example.org:587',
  TWINLOCK_MAIL_FROM: 'Example Ltd <login@example.org>',
  TWINLOCK_KEYS_FILE: '/etc/twinlock/keys.json',
  TWINLOCK_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8',
  TWINLOCK_PRIVATE_HOSTS: 'ldap.example.internal, 10.1.2.3',
  TWINLOCK_NAME: 'Example Ltd',
  TWINLOCK_SIGN_UP: 'domains',
  TWINLOCK_ARGON2: 'm=65536,t=3,p=1',
  TWINLOCK_AUDIT_RETENTION_DAYS: '400',
} as const;
type Variable = keyof typeof VARIABLES;

/** `directory`: what relative paths start from. `serving`: without the development flag, an https origin and a mail server are demanded. */
export function readSettings(
  environment: Environment,
  { development, serving, directory }: { development: boolean; serving: boolean; directory: string },
): ReadSettings {
  const mistakes = unknownNames(environment);
  const read = <Result>(variable: Variable, absent: Result, parse: (text: string) => Result | Mistake): Result => {
    const text = environment[variable]?.trim() ?? '';
    if (text === '') return absent;
    const result = parse(text);
    if (!(result instanceof Mistake)) return result;
    mistakes.push(`${variable} ${result.what.replaceAll(/\p{Cc}/gu, ' ')} Example: ${variable}='${VARIABLES[variable]}'`);
    return absent;
  };

  const port = read('TWINLOCK_PORT', 3000, parsePort);
  const origin = read('TWINLOCK_ORIGIN', `http://localhost:${port}`, (text) => parseOrigin(text, development || !serving));
  const dataDirectory = path.resolve(
    directory,
    read('TWINLOCK_DATA_DIR', 'data', (text) => text),
  );
  const settings: Settings = {
    development,
    name: read('TWINLOCK_NAME', 'Twinlock', parseName),
    // Where it serves people for real, nobody makes themselves an account whom nobody asked.
    signUp: read('TWINLOCK_SIGN_UP', development ? 'open' : 'invited', parseSignUp),
    host: read('TWINLOCK_HOST', 'localhost', parseHost),
    port,
    origin,
    dataDirectory,
    database: read('TWINLOCK_DATABASE_URL', { engine: 'sqlite', file: path.join(dataDirectory, 'twinlock.sqlite') }, (text) => parseDatabase(text, directory)),
    keysFile: path.resolve(
      directory,
      read('TWINLOCK_KEYS_FILE', path.join(dataDirectory, 'keys.json'), (text) => text),
    ),
    smtpUrl: read('TWINLOCK_SMTP_URL', undefined, parseSmtp),
    mailFrom: read('TWINLOCK_MAIL_FROM', { name: '', address: `no-reply@${new URL(origin).hostname}` }, parseFrom),
    trustedProxies: read('TWINLOCK_TRUSTED_PROXIES', [], parseProxies),
    privateHosts: read('TWINLOCK_PRIVATE_HOSTS', [], parseHosts),
    argon2: read('TWINLOCK_ARGON2', ARGON2_FLOOR, parseArgon2),
    auditRetentionDays: read('TWINLOCK_AUDIT_RETENTION_DAYS', undefined, parseRetention),
  };
  if (serving && !development) mistakes.push(...missing(environment));
  // The sender's name is the site's, unless one was given.
  const mailFrom = settings.mailFrom.name === '' ? { ...settings.mailFrom, name: settings.name } : settings.mailFrom;
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, settings: { ...settings, mailFrom } };
}

class Mistake {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

function unknownNames(environment: Environment): string[] {
  const known = Object.keys(VARIABLES);
  return Object.keys(environment)
    .filter((name) => name.startsWith('TWINLOCK_') && name !== 'TWINLOCK_NODE' && !known.includes(name))
    .map((name) => `${name} is not a setting that Twinlock knows. Did you mean ${nearest(name, known)}?`);
}

/** Lines of a .env file that were meant to be settings of ours and are none: who wrote `TWINLOCK_SIGN_UP: invited` must not find everybody let in. */
export function unreadLines(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    // Only what stands before the value: the rest may be a password.
    const [meant] = /^[^=#'"`]*?TWINLOCK\w*/i.exec(line) ?? [];
    if (meant === undefined || /^\s*(?:export\s+)?TWINLOCK_\w*\s*=/.test(line)) return [];
    const name = /TWINLOCK\w*$/i.exec(meant)![0];
    const variable = nearest(name.toUpperCase(), Object.keys(VARIABLES)) as Variable;
    return [`Line ${index + 1} of .env has ${name} in it, but is not of the form NAME=value. Example: ${variable}='${VARIABLES[variable]}'`];
  });
}

function missing(environment: Environment): string[] {
  const demanded = [
    ['TWINLOCK_ORIGIN', 'is missing: the https address that people open. Passwords must not cross a network in the clear.'],
    ['TWINLOCK_SMTP_URL', 'is missing: without a mail server no code can be sent.'],
  ] as const;
  return demanded
    .filter(([variable]) => (environment[variable]?.trim() ?? '') === '')
    .map(([variable, what]) => `${variable} ${what} Example: ${variable}='${VARIABLES[variable]}' (To try Twinlock out, start it with --development.)`);
}

function parsePort(text: string): number | Mistake {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : new Mistake(`is '${text}', which is not a port from 1 to 65535.`);
}

function parseHost(text: string): string | Mistake {
  return isIP(text) !== 0 || /^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(text)
    ? text
    : new Mistake(`is '${text}', which is neither an IP address nor a host name to listen on.`);
}

function parseOrigin(text: string, allowHttp: boolean): string | Mistake {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return new Mistake(`is '${text}', which is not an address that starts with https://.`);
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return new Mistake(`is '${text}': only scheme, host and port may stand in it, and no path.`);
  }
  if (url.protocol === 'http:' && !allowHttp)
    return new Mistake(`is '${text}', and has to start with https:// (only 'twinlock serve --development' takes http).`);
  return url.origin;
}

function parseDatabase(text: string, directory: string): Settings['database'] | Mistake {
  if (/^sqlite:./.test(text)) return { engine: 'sqlite', file: path.resolve(directory, text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')) };
  if (/^postgres(?:ql)?:\/\/[^/]/.test(text) && URL.canParse(text)) return { engine: 'postgres', url: text };
  return new Mistake('is neither sqlite: with a path nor postgres:// with a host and a database.');
}

// Neither the value of this nor of the database's address is repeated in a message: both may hold a password.
function parseSmtp(text: string): string | Mistake {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = url && (url.protocol === 'smtp:' || url.protocol === 'smtps:') && url.hostname !== '';
  return fits ? text : new Mistake('is not an address that starts with smtp:// or smtps:// and names a host.');
}

function parseFrom(text: string): Addressee | Mistake {
  const [, name = '', address = text] = /^(.*)<([^<>]+)>$/.exec(text) ?? [];
  const parsed = parseEmailAddress(address);
  const plain = name.trim().replace(/^"(.*)"$/, '$1');
  if (!parsed || !canBeShown(plain)) return new Mistake(`is '${text}', which is not an email address, with or without a name in front of it.`);
  return { name: plain, address: parsed.address };
}

function parseProxies(text: string): readonly string[] | Mistake {
  const proxies = text.split(',').map((one) => one.trim());
  const wrong = proxies.find((one) => !isNetwork(one));
  return wrong === undefined ? proxies : new Mistake(`has '${wrong}' in it, which is not an IP address or a network such as 10.0.0.0/8.`);
}

function parseHosts(text: string): readonly string[] | Mistake {
  const hosts = text.split(',').map((one) => one.trim().toLowerCase());
  const wrong = hosts.find((one) => parseHost(one) instanceof Mistake);
  return wrong === undefined ? hosts : new Mistake(`has '${wrong}' in it, which is neither a host name nor an IP address. Ports are left out.`);
}

/** Not the whole Internet: then anybody could claim any address. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128));
}

const NAME_CHARACTERS_MOST = 60;

function parseName(text: string): string | Mistake {
  return [...text].length <= NAME_CHARACTERS_MOST && canBeShown(text)
    ? text
    : new Mistake(`is longer than ${NAME_CHARACTERS_MOST} characters, or has some that can't be shown.`);
}

const RETENTION_DAYS_LEAST = 30;
const RETENTION_DAYS_MOST = 36_500;

/** Not so few that what happened is gone before anybody looks. */
function parseRetention(text: string): number | Mistake {
  const days = Number(text);
  return /^\d{1,6}$/.test(text) && days >= RETENTION_DAYS_LEAST && days <= RETENTION_DAYS_MOST
    ? days
    : new Mistake(`is '${text}', which is not a number of days from ${RETENTION_DAYS_LEAST} to ${RETENTION_DAYS_MOST}. Leave it out to keep events for ever.`);
}

const SIGN_UPS: readonly Installation['signUp'][] = ['open', 'invited', 'domains'];

function parseSignUp(text: string): Installation['signUp'] | Mistake {
  return SIGN_UPS.find((one) => one === text) ?? new Mistake(`is '${text}', and has to be one of ${SIGN_UPS.join(', ')}.`);
}

/** PW-6: weaker than the floor is refused. */
function parseArgon2(text: string): Argon2Parameters | Mistake {
  const [, memory, passes, lanes] = (/^m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})$/.exec(text) ?? []).map(Number);
  if (memory === undefined || passes === undefined || lanes === undefined)
    return new Mistake(`is '${text}', which is not of the form m=KIBIBYTES,t=PASSES,p=LANES.`);
  const least = ARGON2_FLOOR;
  if (memory < least.memoryKibibytes || passes < least.passes || lanes < least.lanes || memory > 4_194_304) {
    return new Mistake(`is '${text}', and may not be weaker than m=${least.memoryKibibytes},t=${least.passes},p=${least.lanes} or use more than 4 GiB.`);
  }
  return { memoryKibibytes: memory, passes, lanes };
}
