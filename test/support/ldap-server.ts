/**
 * A real LDAP server on loopback whose people a test names, encrypted or not, and which fails in the ways that directories fail:
 *   await using directory = await startLdapServer({ people: [{ uid: 'ada', password: 'secret', attributes: { mail: 'ada@example.org' } }] });
 *   directory.settings: what an administrator would type to connect it.
 */
import { createServer as createPlainServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import ldapjs from 'ldapjs';
import { localhostCertificate } from './localhost-certificate.ts';

export interface DirectoryPerson {
  readonly uid: string;
  readonly password: string;
  readonly attributes: Readonly<Record<string, string | Buffer | readonly string[]>>;
  /** What Active Directory says in place of success: 533 where the account is disabled. */
  readonly data?: string;
  /** What the password policy says beside the answer to a right password, to whoever asked for its word (draft-behera-ldap-password-policy, 6.2). */
  readonly policy?: { readonly error?: number; readonly graceAuthNsRemaining?: number; readonly timeBeforeExpiration?: number };
}

/** What a test may change while the server runs. */
export interface LdapFaults {
  /** Takes requests and never answers. */
  silent: boolean;
  /** Answers searches with a referral to another server, beside what was found or in its place. */
  referral: string | undefined;
  /** Sends so many entries more, whatever the search wants. */
  more: number;
}

export interface LdapServer extends AsyncDisposable {
  readonly port: number;
  /** All that an administrator would type. */
  readonly settings: Readonly<Record<string, string | boolean>>;
  readonly faults: LdapFaults;
  readonly people: DirectoryPerson[];
  /** Every bind and search that came, as text: `bind cn=…`, `search (mail="…")`. No passwords. */
  readonly asked: string[];
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

const BASE = 'ou=people,dc=example,dc=org';
const SERVICE = { name: 'cn=twinlock,ou=services,dc=example,dc=org', password: 'service-password-that-nobody-sees' };

export interface LdapServerOptions {
  readonly people?: readonly DirectoryPerson[];
  readonly kind?: 'active-directory' | 'ldap';
  readonly encryption?: 'ldaps' | 'start-tls' | 'none';
}

export async function startLdapServer({ people = [], kind = 'ldap', encryption = 'ldaps' }: LdapServerOptions = {}): Promise<LdapServer> {
  const faults: LdapFaults = { silent: false, referral: undefined, more: 0 };
  const state = { people: [...people], faults, asked: [] as string[] };
  const protocol = protocolFor(state);
  const sockets = new Set<Socket>();
  const listen = (port: number) => listenFor({ port, encryption, sockets, take: (socket) => protocol.newConnection(socket) });
  let listening: Awaited<ReturnType<typeof listen>> | undefined = await listen(0);
  const { port } = listening.address() as AddressInfo;
  const goDown = async (): Promise<void> => {
    const closing = listening;
    listening = undefined;
    for (const socket of sockets) socket.destroy();
    if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()));
  };
  return {
    port,
    settings: {
      directory: kind,
      address: `${encryption === 'ldaps' ? 'ldaps' : 'ldap'}://localhost:${port}`,
      unencrypted: encryption === 'none',
      authority: localhostCertificate.certificate,
      base: BASE,
      serviceName: SERVICE.name,
      servicePassword: SERVICE.password,
    },
    faults,
    people: state.people,
    asked: state.asked,
    goDown,
    comeBack: async () => void (listening ??= await listen(port)),
    [Symbol.asyncDispose]: goDown,
  };
}

interface Listening {
  readonly port: number;
  readonly encryption: NonNullable<LdapServerOptions['encryption']>;
  readonly sockets: Set<Socket>;
  take(socket: Socket): void;
}

async function listenFor({ port, encryption, sockets, take }: Listening) {
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    // A client that hangs up is no failure of the test.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const { certificate: cert, key } = localhostCertificate;
  const server =
    encryption === 'ldaps'
      ? createTlsServer({ cert, key }, take).on('connection', keep)
      : createPlainServer((socket) => {
          keep(socket);
          if (encryption === 'none') take(socket);
          else socket.once('data', (first) => beginTls(socket, first, take));
        });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

const START_TLS = '1.3.6.1.4.1.1466.20037';

/** ldapjs knows no StartTLS: what comes after it is handed to it. */
function beginTls(socket: Socket, first: Buffer, take: (socket: Socket) => void): void {
  if (!first.includes(START_TLS)) return void socket.destroy();
  // An extended response with the number of the request, success, and nothing else: RFC 4511, 4.12.
  socket.write(Buffer.from([0x30, 0x0c, 0x02, 0x01, first[4]!, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]));
  const { certificate: cert, key } = localhostCertificate;
  const encrypted = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
  encrypted.on('error', () => undefined);
  take(encrypted);
}

interface State {
  readonly people: DirectoryPerson[];
  readonly faults: LdapFaults;
  readonly asked: string[];
}

/** As far as ldapjs hands them to its handlers: its types know less than it does. */
interface Request {
  readonly name: { toString(): string };
  readonly credentials: string;
  readonly filter: Filter;
  readonly dn: { toString(): string };
  readonly controls: readonly { readonly type: string }[];
}
interface Filter {
  readonly type: string;
  readonly clauses: readonly Filter[];
  attribute: string | undefined;
  value: string | undefined;
  matches(entry: object): boolean;
}
interface Response {
  send(entry: object): void;
  end(status?: number): void;
  diagnosticMessage: string;
  attributes: string[];
  referrals: string[];
  connection: { bound?: string };
  addControl(control: object): void;
}
type Protocol = ldapjs.Server & { newConnection(socket: Socket): void };

/** Its types know nothing of it, and it fails to read one that has no value, which those of a request have not: so it knows it in answers alone here. */
const { PasswordPolicyControl: PolicyControl } = ldapjs as unknown as { PasswordPolicyControl: { new (options: object): object; OID: string } };
const PASSWORD_POLICY = PolicyControl.OID;
PolicyControl.OID = 'of no request';

const PASSWORD_EXPIRED = 0;
const INVALID_CREDENTIALS = 49;
const INSUFFICIENT_ACCESS = 50;
const UNWILLING = 53;
const REFERRAL = 10;

function protocolFor(state: State): Protocol {
  const protocol = ldapjs.createServer() as Protocol;
  protocol.bind('dc=example,dc=org', (request: Request, response: Response) => answerBind(state, request, response));
  protocol.search(BASE, (request: Request, response: Response) => answerSearch(state, request, response));
  return protocol;
}

const nameOf = ({ uid }: DirectoryPerson): string => `uid=${uid},${BASE}`;
const same = (one: { toString(): string }, other: string): boolean => one.toString().replaceAll(', ', ',') === other;

function answerBind({ people, faults, asked }: State, { name, credentials, controls }: Request, response: Response): void {
  asked.push(`bind ${name.toString()}`);
  if (faults.silent) return;
  // As directories that are well set up do (RFC 4513, 5.1.2); many take it for a success.
  if (credentials === '') return response.end(0);
  const person = people.find((one) => same(name, nameOf(one)));
  const right = same(name, SERVICE.name) ? credentials === SERVICE.password : person !== undefined && credentials === person.password;
  response.connection.bound = right ? name.toString() : '';
  const asksForPolicy = controls.some(({ type }) => type === PASSWORD_POLICY);
  if (right && person?.policy && asksForPolicy) response.addControl(Object.assign(new PolicyControl({ value: person.policy }), { type: PASSWORD_POLICY }));
  if (right && person?.policy?.error === PASSWORD_EXPIRED) return response.end(INVALID_CREDENTIALS);
  if (right && person?.data === undefined) return response.end(0);
  // As Active Directory writes it.
  response.diagnosticMessage = `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${right ? person?.data : '52e'}, v2580`;
  response.end(person?.data === 'unwilling' ? UNWILLING : INVALID_CREDENTIALS);
}

function answerSearch({ people, faults, asked }: State, { filter }: Request, response: Response): void {
  asked.push(`search ${textOf(filter)}`);
  if (faults.silent) return;
  if (response.connection.bound !== SERVICE.name) return response.end(INSUFFICIENT_ACCESS);
  // It compares those that were asked for with names in lower case.
  response.attributes = response.attributes.map((one) => one.toLowerCase());
  foldCase(filter);
  for (const person of people) {
    const attributes = { objectClass: ['person', 'user'], objectCategory: 'person', uid: person.uid, userPassword: person.password, ...person.attributes };
    if (filter.matches(inLowerCase(attributes))) response.send({ dn: nameOf(person), attributes });
  }
  for (let index = 0; index < faults.more; index += 1)
    response.send({ dn: `uid=more-${index},${BASE}`, attributes: { mail: `more-${index}@example.org`, cn: 'x'.repeat(2000) } });
  if (faults.referral === undefined) return response.end(0);
  response.referrals.push(faults.referral);
  response.end(REFERRAL);
}

/** Directories compare what is asked here without regard to case (caseIgnoreMatch); ldapjs does not, and leaves values escaped. */
function foldCase(filter: Filter): void {
  if (filter.type === 'EqualityFilter') [filter.attribute, filter.value] = [filter.attribute?.toLowerCase(), unescaped(filter.value ?? '').toLowerCase()];
  for (const clause of filter.clauses) foldCase(clause);
}

const unescaped = (value: string): string => value.replace(/(?:\\[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('\\', ''), 'hex').toString());

const inLowerCase = (attributes: DirectoryPerson['attributes']): DirectoryPerson['attributes'] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === 'string' ? value.toLowerCase() : Buffer.isBuffer(value) ? value : value.map((one) => one.toLowerCase()),
    ]),
  );

/** As it was understood, not as it could be written: `(&(objectClass="person")(mail="ada@example.org"))`. */
function textOf(filter: Filter): string {
  if (filter.type === 'EqualityFilter') return `(${filter.attribute}=${JSON.stringify(filter.value)})`;
  const signs: Readonly<Record<string, string>> = { AndFilter: '&', OrFilter: '|' };
  return signs[filter.type] === undefined ? `(${filter.type})` : `(${signs[filter.type]}${filter.clauses.map(textOf).join('')})`;
}
