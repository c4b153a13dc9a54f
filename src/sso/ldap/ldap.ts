/**
 * A directory as a source of passwords: LDAP (RFC 4511) and Active Directory. The service account looks for the one entry that an address is of, and then the
 * password that was typed is tried on that entry. Nothing that was typed is ever part of a filter but as a value, nothing empty is ever tried (a bind without a
 * password succeeds and proves nothing: RFC 4513, 5.1.2), referrals lead nowhere, and none of it goes unencrypted but where operator and administrator both say so.
 */
import { Client, NoSuchObjectError, PasswordPolicyControl, ResultCodeError, type Entry } from 'ldapts';
import { NetworkFailure, type ConnectionOut } from '../../platform/http/network.ts';
import { makeToken } from '../../platform/secrets/tokens.ts';
import type { Failure, Identity, PasswordAnswer, PasswordProtocol, Tools } from '../contract.ts';
import { emailOf, escaped, expiryIn, refusalIn, textsOf, valuesOf, textOfBytes, type Said } from './entry.ts';
import { fields, PLACEHOLDER, PRESETS, serverFrom, settings, type Settings } from './settings.ts';
import { extendedWell, wholeMessage } from './whole-message.ts';

export const ldap: PasswordProtocol<Settings> = {
  kind: 'ldap',
  way: 'password',
  words: { name: 'LDAP or Active Directory', explanation: 'People type the password of your directory here, and the directory says whether it is right.' },
  settings,
  fields,
  // Whoever looks after a directory writes the addresses; it does not say which of them somebody has shown to be theirs.
  saysVerified: false,
  check,
};

/** Longer ones are nobody's: of an address RFC 5321 says so, of a password our own rules. */
const EMAIL_MOST = 254;
const PASSWORD_MOST = 1000;
/** One is looked for; the second is there to be noticed. */
const ENTRIES_MOST = 2;
const SECONDS_MOST = 8;

async function check(tools: Tools, { settings: given, email, password }: { settings: Settings; email: string; password: string }): Promise<PasswordAnswer> {
  if (password === '' || email === '' || email.length > EMAIL_MOST || password.length > PASSWORD_MOST) return { ok: false, reason: 'wrong' };
  const connected = await connect(tools, given);
  if (!connected.ok) return connected;
  const { connection } = connected;
  const client = new Client({ url: 'ldap://directory', createConnection: (() => connection) as never });
  try {
    return await searchThenBind(client, given, { email, password, nobody: makeToken(tools) });
  } catch (error) {
    return failureOf(connection, error);
  } finally {
    connection.destroy();
  }
}

/** RFC 4511, 4.14: the extended request that asks for TLS, with the number 1. */
const START_TLS = new Uint8Array([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, ...new TextEncoder().encode('1.3.6.1.4.1.1466.20037')]);

async function connect({ network }: Tools, { address, unencrypted, authority }: Settings): Promise<{ ok: true; connection: ConnectionOut } | Failure> {
  const server = serverFrom(address);
  if (!server) return misconfigured('The address of the server can’t be read.');
  const startTls = unencrypted ? 'none' : { ask: START_TLS, agrees: extendedWell };
  try {
    const connection = await network.connect({
      host: server.host,
      port: server.port,
      encryption: server.scheme === 'ldaps' ? 'tls' : startTls,
      authority: authority === '' ? undefined : authority,
      wholeMessage,
    });
    return { ok: true, connection };
  } catch (error) {
    if (error instanceof NetworkFailure) return { ok: false, reason: 'unreachable', detail: error.message };
    throw error;
  }
}

/** `nobody`: a word that no entry is named by. */
async function searchThenBind(
  client: Client,
  given: Settings,
  { email, password, nobody }: { email: string; password: string; nobody: string },
): Promise<PasswordAnswer> {
  try {
    await client.bind(given.serviceName, given.servicePassword);
  } catch (error) {
    if (error instanceof ResultCodeError) return misconfigured(serviceRefused(error));
    throw error;
  }
  const found = await search(client, given, email);
  // An address that is nobody's costs as many questions as a wrong password: who waits is not to learn who is there (RL-7).
  if (!found.ok && found.reason === 'wrong') await bindInVain(client, { name: `cn=${nobody},${given.base}`, password: nobody });
  if (!found.ok) return found;
  const { entry } = found;
  const identity = identityOf(entry, given, email);
  if (!identity) return misconfigured(`The entry has not exactly one value of ${namesOf(given).subject}, by which somebody is known again.`);
  // Directories that know it say by it what they would let a password pass for otherwise; the others pass it over.
  const policy = new PasswordPolicyControl();
  try {
    // A name that is empty, or a bare word, would be a bind of another kind, which need not look at the password.
    if (!entry.dn.includes('=')) return misconfigured('The entry has no name that could be signed in with.');
    await client.bind(entry.dn, password, policy);
  } catch (error) {
    if (error instanceof ResultCodeError) return refusedFor(error, expiryIn(policy.value));
    throw error;
  }
  const said = expiryIn(policy.value);
  return said ? { ok: false, reason: 'change-first', detail: said.detail } : { ok: true, identity };
}

async function bindInVain(client: Client, { name, password }: { name: string; password: string }): Promise<void> {
  try {
    await client.bind(name, password);
  } catch (error) {
    if (!(error instanceof ResultCodeError)) throw error;
  }
}

const misconfigured = (detail: string): Failure => ({ ok: false, reason: 'misconfigured', detail });

function namesOf(given: Settings): Readonly<Record<'filter' | 'subject' | 'email' | 'name' | 'groups', string>> {
  const preset = PRESETS[given.directory];
  return {
    filter: given.filter || preset.filter,
    subject: given.subjectAttribute || preset.subject,
    email: given.emailAttribute || preset.email,
    name: given.nameAttribute || preset.name,
    groups: given.groupsAttribute || preset.groups,
  };
}

async function search(
  client: Client,
  given: Settings,
  email: string,
): Promise<{ readonly ok: true; readonly entry: Entry } | Exclude<PasswordAnswer, { ok: true }>> {
  const names = namesOf(given);
  try {
    const { searchEntries } = await client.search(given.base, {
      scope: 'sub',
      // Every occurrence, and by a function: `$&` in an address would be read otherwise.
      filter: names.filter.replaceAll(PLACEHOLDER, () => escaped(email)),
      attributes: [...new Set([names.subject, names.email, names.name, names.groups])],
      explicitBufferAttributes: /^objectguid$/i.test(names.subject) ? ['objectGUID', names.subject] : [],
      sizeLimit: ENTRIES_MOST,
      timeLimit: SECONDS_MOST,
    });
    const [entry, second] = searchEntries;
    if (!entry) return { ok: false, reason: 'wrong' };
    return second ? misconfigured('The filter finds more than one entry for this address, so that nobody can say whose it is.') : { ok: true, entry };
  } catch (error) {
    if (error instanceof NoSuchObjectError) return misconfigured('There is nothing in the directory where people should be found.');
    if (error instanceof ResultCodeError) return misconfigured(`The directory does not answer the search (result ${error.code}).`);
    throw error;
  }
}

function identityOf(entry: Entry, given: Settings, typed: string): Identity | undefined {
  const names = namesOf(given);
  const subjects = valuesOf(entry, names.subject);
  const [subject] = subjects;
  if (subjects.length !== 1 || subject === undefined || subject.length === 0) return undefined;
  return {
    subject: typeof subject === 'string' ? subject : textOfBytes(subject),
    email: emailOf(textsOf(entry, names.email), typed),
    emailVerified: false,
    name: textsOf(entry, names.name)[0] ?? '',
    groups: textsOf(entry, names.groups),
    // A directory asks for a password and nothing else: no word of it could count for a second factor.
    methods: [],
    authenticatedAt: null,
    sessionEndsAt: null,
    providerSession: null,
    logoutHint: null,
    claims: { dn: entry.dn, ...Object.fromEntries([names.subject, names.email, names.name, names.groups].map((name) => [name, textsOf(entry, name)])) },
  };
}

const INVALID_CREDENTIALS = 49;
const NEEDS_ENCRYPTION = [8, 13];
/** Constraint violated, not allowed to, unwilling: how directories say that an account is locked, expired or kept out. */
const KEPT_OUT = [19, 50, 53];

/** What a directory writes beside its codes is not handed on: it could be anything, what was sent to it too. */
function serviceRefused({ code }: ResultCodeError): string {
  if (code === INVALID_CREDENTIALS) return 'The directory does not take the name or the password of the service account.';
  if (NEEDS_ENCRYPTION.includes(code)) return 'The directory wants an encrypted connection.';
  return `The directory does not let the service account in (result ${code}).`;
}

/** To whoever signs in it is a wrong password, but where it is right and has to be changed; what is behind it is for whoever looks after the accounts. */
function refusedFor(error: ResultCodeError, expiry: Said | undefined): Exclude<PasswordAnswer, { ok: true }> {
  const said = expiry ?? refusalIn(error.message);
  if (error.code === INVALID_CREDENTIALS) {
    if (said?.changeFirst === true) return { ok: false, reason: 'change-first', detail: said.detail };
    return { ok: false, reason: 'wrong', ...(said === undefined ? {} : { detail: said.detail }) };
  }
  if (KEPT_OUT.includes(error.code)) return { ok: false, reason: 'wrong', detail: `The directory keeps the account out (result ${error.code}).` };
  return misconfigured(`The directory does not let anybody sign in (result ${error.code}).`);
}

function failureOf({ failure }: ConnectionOut, error: unknown): Failure {
  if (failure) return { ok: false, reason: failure.reason === 'unreadable' ? 'untrusted' : 'unreachable', detail: failure.message };
  // The library says so in words alone: the server hung up, or answered in a way that it does not understand.
  if (error instanceof Error && !(error instanceof TypeError))
    return { ok: false, reason: 'unreachable', detail: 'The directory ended the connection before it had answered.' };
  throw error;
}
