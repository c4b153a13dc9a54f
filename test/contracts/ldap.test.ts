import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { EqualityFilter, FilterParser, type AndFilter } from 'ldapts';
import { startLdapServer, type DirectoryPerson, type LdapServer } from '../support/ldap-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { makeNetwork, type NetworkOptions } from '../../src/platform/http/network.ts';
import type { Tools } from '../../src/sso/contract.ts';
import { escaped } from '../../src/sso/ldap/entry.ts';
import { ldap } from '../../src/sso/ldap/ldap.ts';

const GUID = Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex');
const person = (uid: string, more: Record<string, string | Buffer | readonly string[]> = {}): DirectoryPerson => ({
  uid,
  password: `password of ${uid}`,
  attributes: { mail: `${uid}@example.org`, entryUUID: `uuid-of-${uid}`, cn: `${uid} Example`, ...more },
});
const PEOPLE = [
  person('ada', { memberOf: ['cn=Engineers,ou=groups,dc=example,dc=org', 'cn=Everybody,ou=groups,dc=example,dc=org'] }),
  person('bob'),
  person('twin-one', { mail: 'twins@example.org' }),
  person('twin-two', { mail: 'twins@example.org' }),
  person('nameless', { entryUUID: [] }),
  person('two-names', { entryUUID: ['one', 'two'] }),
  person('odd', { mail: 'o(wei*rd)\\@example.org' }),
  person('many', { mail: ['first@example.org', 'Many@example.org'] }),
];

/** BER (X.690), as far as short messages need it. */
function tlv(tag: number, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((one) => Buffer.from(one)));
  return Buffer.concat([Buffer.from(body.length < 0x80 ? [tag, body.length] : [tag, 0x81, body.length]), body]);
}
const message = (id: number, operation: Buffer): Buffer => tlv(0x30, tlv(0x02, Buffer.of(id)), operation);

const tools = (options: Partial<NetworkOptions> = {}): Tools => ({
  now: 0,
  random: seededRandom(1),
  network: makeNetwork({ privateHosts: ['localhost'], millisecondsMost: 5000, ...options }),
  installationName: 'Twinlock',
});
const check = (given: object, email: string, password: string, options: Partial<NetworkOptions> = {}) =>
  ldap.check(tools(options), { settings: ldap.settings.parse(given), email, password });

/** Never in anything that comes out: the service account's password, and the one that was typed. */
function tellsNoSecret(answer: unknown, typed: string): void {
  const text = JSON.stringify(answer);
  assert.ok(!text.includes('service-password-that-nobody-sees') && (typed === '' || !text.includes(typed)), text);
}

describe('a directory over ldaps', () => {
  let directory: LdapServer;
  before(async () => {
    directory = await startLdapServer({ people: PEOPLE });
  });
  after(() => directory[Symbol.asyncDispose]());
  const ask = (email: string, password: string, options: Partial<NetworkOptions> = {}) => check(directory.settings, email, password, options);

  test('whoever types their password is said to be who they are, by the name that never changes', async () => {
    const answer = await ask('ADA@example.org', 'password of ada');
    assert.deepEqual(answer, {
      ok: true,
      identity: {
        subject: 'uuid-of-ada',
        email: 'ada@example.org',
        emailVerified: false,
        name: 'ada Example',
        groups: ['cn=Engineers,ou=groups,dc=example,dc=org', 'cn=Everybody,ou=groups,dc=example,dc=org'],
        methods: [],
        authenticatedAt: null,
        sessionEndsAt: null,
        providerSession: null,
        logoutHint: null,
        claims: {
          dn: 'uid=ada,ou=people,dc=example,dc=org',
          entryUUID: ['uuid-of-ada'],
          mail: ['ada@example.org'],
          cn: ['ada Example'],
          memberOf: ['cn=Engineers,ou=groups,dc=example,dc=org', 'cn=Everybody,ou=groups,dc=example,dc=org'],
        },
      },
    });
    tellsNoSecret(answer, 'password of ada');
  });

  test('a wrong password, somebody else’s password, and an address that is nobody’s are all wrong', async () => {
    for (const [email, password] of [
      ['ada@example.org', 'wrong'],
      ['ada@example.org', 'password of bob'],
      ['nobody@example.org', 'password of ada'],
    ] as const)
      assert.deepEqual(await ask(email, password), { ok: false, reason: 'wrong' });
  });

  test('attack: an empty password, which many directories take for a success, never reaches the network', async () => {
    directory.asked.length = 0;
    assert.deepEqual(await ask('ada@example.org', ''), { ok: false, reason: 'wrong' });
    assert.deepEqual(await ask('', 'password of ada'), { ok: false, reason: 'wrong' });
    assert.deepEqual(directory.asked, []);
  });

  test('attack: what is typed is never part of the filter but as a value', async () => {
    const typed = [
      '*', '*@example.org', 'a*', 'ada@example.org)(uid=*', '*)(uid=*))(|(uid=*', ')(objectClass=*', 'ada@example.org\0', '\0', '\\', '\\2a', '\\2a@example.org',
      'ada@example.org)(|(mail=*', 'x)(&', '(', ')', '&', '|', '!', '(mail=*)', 'uid=ada,ou=people,dc=example,dc=org', 'ada,ou=people', '$&', '$1', "$'", '{email}',
      'ada@example.org)\0(mail=*', 'ªda@example.org', '\u{ff0a}', 'a'.repeat(300),
    ]; // prettier-ignore
    for (const email of typed) {
      directory.asked.length = 0;
      const answer = await ask(email, 'password of ada');
      assert.deepEqual(answer, { ok: false, reason: 'wrong' }, email);
      const searches = directory.asked.filter((one) => one.startsWith('search'));
      // The server of the tests writes values with escapes of its own; that it is one value is what matters here.
      for (const search of searches) assert.match(search, /^search \(&\(objectClass="person"\)\(mail="(?:[^"\\]|\\.)*"\)\)$/, `${email}: ${search}`);
      const { filters } = FilterParser.parseString(`(&(objectClass=person)(mail=${escaped(email)}))`) as AndFilter;
      assert.deepEqual(filters[1], new EqualityFilter({ attribute: 'mail', value: email }), 'and it is what was typed, to the letter');
    }
    const odd = await ask('o(wei*rd)\\@example.org', 'password of odd');
    assert.ok(odd.ok && odd.identity.subject === 'uuid-of-odd', 'the same characters are an address like any other where somebody has it');
  });

  test('attack: two entries of one address, an entry without a lasting name, one with two', async () => {
    for (const [email, password] of [
      ['twins@example.org', 'password of twin-one'],
      ['nameless@example.org', 'password of nameless'],
      ['two-names@example.org', 'password of two-names'],
    ] as const) {
      const answer = await ask(email, password);
      assert.ok(!answer.ok && answer.reason === 'misconfigured', email);
      assert.ok(!directory.asked.some((one) => one.includes('bind uid=twin')));
    }
  });

  test('of several addresses the one that was typed is taken', async () => {
    const answer = await ask('many@example.org', 'password of many');
    assert.equal(answer.ok && answer.identity.email, 'Many@example.org');
  });

  test('a password that has to be changed first, or has expired, opens nothing; one that will expire is one like any other', async () => {
    directory.people.push(
      { ...person('reset'), policy: { error: 2 } },
      { ...person('grace'), policy: { graceAuthNsRemaining: 3 } },
      { ...person('last-grace'), policy: { graceAuthNsRemaining: 0 } },
      { ...person('expired'), policy: { error: 0 } },
      { ...person('soon'), policy: { timeBeforeExpiration: 3600 } },
    );
    for (const [uid, words] of [
      ['reset', /has to be changed first/],
      ['grace', /has expired\. The directory takes it 3 more times/],
      ['last-grace', /has expired\. The directory takes it no more/],
      ['expired', /has expired/],
    ] as const) {
      const answer = await ask(`${uid}@example.org`, `password of ${uid}`);
      assert.ok(!answer.ok && answer.reason === 'change-first' && words.test(answer.detail), JSON.stringify(answer));
      assert.deepEqual(await ask(`${uid}@example.org`, 'wrong'), { ok: false, reason: 'wrong' }, 'said to nobody but who knows the password');
    }
    assert.ok((await ask('soon@example.org', 'password of soon')).ok);
  });

  test('a wrong service password, a base that is not there, a filter of one’s own', async () => {
    const service = await check({ ...directory.settings, servicePassword: 'not this one' }, 'ada@example.org', 'password of ada');
    assert.deepEqual(service, { ok: false, reason: 'misconfigured', detail: 'The directory does not take the name or the password of the service account.' });
    const base = await check({ ...directory.settings, base: 'ou=elsewhere,dc=example,dc=com' }, 'ada@example.org', 'password of ada');
    assert.deepEqual(base, { ok: false, reason: 'misconfigured', detail: 'There is nothing in the directory where people should be found.' });
    const filter = { filter: '(|(mail={email})(uid={email}))', subjectAttribute: 'uid' };
    const answer = await check({ ...directory.settings, ...filter }, 'ada', 'password of ada');
    assert.equal(answer.ok && answer.identity.subject, 'ada');
  });

  test('SI-8 attack: a certificate of no known authority, one for another name, a private address, and a plain connection', async () => {
    const certificate = {
      ok: false,
      reason: 'unreachable',
      detail: 'The certificate of the server is not good: it is expired, for another name, or of an authority that this machine does not know.',
    };
    assert.deepEqual(await check({ ...directory.settings, authority: '' }, 'ada@example.org', 'password of ada'), certificate);
    const elsewhere = String(directory.settings['address']).replace('localhost', 'ldap.example.org');
    const lookup = ((_host: string, options: { all?: boolean }, done: (error: null, ...found: unknown[]) => void) =>
      options.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) as unknown as NonNullable<
      NetworkOptions['lookup']
    >;
    const named = { lookup, privateHosts: ['ldap.example.org'] };
    assert.deepEqual(await check({ ...directory.settings, address: elsewhere }, 'ada@example.org', 'password of ada', named), certificate);
    const unnamed = await check({ ...directory.settings, address: elsewhere }, 'ada@example.org', 'password of ada', { lookup, privateHosts: [] });
    assert.deepEqual(unnamed, {
      ok: false,
      reason: 'unreachable',
      detail: 'The address is of a private network, and the operator of the portal has not named it in TWINLOCK_PRIVATE_HOSTS.',
    });
    directory.asked.length = 0;
    const port = directory.port;
    const plain = await check({ ...directory.settings, address: `ldap://localhost:${port}` }, 'ada@example.org', 'password of ada', { millisecondsMost: 1000 });
    assert.ok(!plain.ok && plain.reason === 'unreachable');
    assert.deepEqual(directory.asked, [], 'no name and no password was sent');
  });

  test('SI-8 attack: a referral is not followed, whether beside an entry or in its place', async () => {
    let calls = 0;
    const elsewhere = createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    directory.faults.referral = `ldap://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/dc=example,dc=org`;
    for (const email of ['ada@example.org', 'nobody@example.org']) {
      const answer = await ask(email, 'password of ada');
      assert.deepEqual(answer, { ok: false, reason: 'misconfigured', detail: 'The directory does not answer the search (result 10).' });
    }
    directory.faults.referral = undefined;
    assert.equal(calls, 0);
    await new Promise((resolve) => elsewhere.close(resolve));
  });

  test('attack: a huge answer and a silent server end by themselves', async () => {
    directory.faults.more = 600;
    assert.deepEqual(await ask('ada@example.org', 'password of ada'), {
      ok: false,
      reason: 'unreachable',
      detail: 'The server answered more than anybody would need.',
    });
    directory.faults.more = 0;
    directory.faults.silent = true;
    const slow = await ask('ada@example.org', 'password of ada', { millisecondsMost: 300 });
    assert.deepEqual(slow, { ok: false, reason: 'unreachable', detail: 'The server took too long to answer.' });
    directory.faults.silent = false;
    await directory.goDown();
    assert.deepEqual(await ask('ada@example.org', 'password of ada'), { ok: false, reason: 'unreachable', detail: 'No connection came about.' });
    await directory.comeBack();
    assert.ok((await ask('ada@example.org', 'password of ada')).ok);
  });
});

describe('Active Directory, and connections that are not ldaps', () => {
  test('by StartTLS: objectGUID as its own tools write it, and what it says of accounts that are kept out', async () => {
    const kept = (data: string): DirectoryPerson => ({ ...person(`data-${data}`, { objectGUID: GUID }), data });
    const ada = person('ada', { objectGUID: GUID, userPrincipalName: 'ada.example@corp.example.org', displayName: 'Ada Example' });
    const codes = {
      '530': 'time of day',
      '531': 'this machine',
      '532': 'has expired',
      '533': 'is disabled',
      '701': 'has expired',
      '773': 'changed first',
      '775': 'is locked',
    };
    await using directory = await startLdapServer({
      kind: 'active-directory',
      encryption: 'start-tls',
      people: [ada, ...Object.keys(codes).map(kept), kept('unwilling'), kept('777')],
    });
    const answer = await check(directory.settings, 'ada.example@corp.example.org', 'password of ada');
    assert.ok(answer.ok);
    assert.deepEqual(
      [answer.identity.subject, answer.identity.email, answer.identity.name],
      ['d4c3b2a1-f6e5-1807-293a-4b5c6d7e8f90', 'ada@example.org', 'Ada Example'],
    );
    for (const [data, words] of Object.entries(codes)) {
      const refused = await check(directory.settings, `data-${data}@example.org`, `password of data-${data}`);
      const reason = ['532', '773'].includes(data) ? 'change-first' : 'wrong';
      assert.ok(!refused.ok && refused.reason === reason && refused.detail?.includes(words), JSON.stringify(refused));
    }
    assert.deepEqual(await check(directory.settings, 'data-533@example.org', 'wrong'), { ok: false, reason: 'wrong' });
    assert.deepEqual(await check(directory.settings, 'data-777@example.org', 'password of data-777'), { ok: false, reason: 'wrong' });
    const unwilling = await check(directory.settings, 'data-unwilling@example.org', 'password of data-unwilling');
    assert.deepEqual(unwilling, { ok: false, reason: 'wrong', detail: 'The directory keeps the account out (result 53).' });
  });

  test('without encryption: only where the operator named the host and the administrator said so', async () => {
    await using directory = await startLdapServer({ encryption: 'none', people: PEOPLE });
    assert.ok((await check(directory.settings, 'ada@example.org', 'password of ada')).ok);
    directory.asked.length = 0;
    const unsaid = await check({ ...directory.settings, unencrypted: false }, 'ada@example.org', 'password of ada', { millisecondsMost: 500 });
    assert.ok(!unsaid.ok && unsaid.reason !== 'wrong', 'a server that does not know StartTLS is not asked anything else');
    const unnamed = await check(directory.settings, 'ada@example.org', 'password of ada', { privateHosts: [] });
    assert.ok(!unnamed.ok && unnamed.reason === 'unreachable' && unnamed.detail.includes('not be encrypted'));
    assert.deepEqual(directory.asked, []);
  });

  const evil = async (answers: readonly (string | Buffer)[], encryption: 'none' | 'start-tls' = 'none') => {
    const server = createServer((socket) => {
      let turn = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        const answer = answers[turn];
        turn += 1;
        if (answer !== undefined) socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const settings = {
      directory: 'ldap',
      address: `ldap://localhost:${(server.address() as AddressInfo).port}`,
      unencrypted: encryption === 'none',
      base: 'dc=x',
      serviceName: 'cn=x',
      servicePassword: 'x',
    };
    const answer = await check(settings, 'ada@example.org', 'password of ada', { millisecondsMost: 400 });
    server.close();
    return answer;
  };
  const bound = Buffer.from('300c02010261070a010004000400', 'hex');

  test('attack: bytes that would lead a reader astray end the connection', async () => {
    const unreadable = { ok: false, reason: 'untrusted', detail: 'The server answered something that makes no sense. Is the port right?' };
    const entries = [
      '3018020103641304037569643080' + '00'.repeat(12), // a length that is not told
      '301002010364 0b0403756964 0404 30ff0000'.replaceAll(' ', ''), // attributes that are no sequence
      '300f020103640a0403756964300330ff00', // an attribute that is longer than its entry
      '301502010364100403756964300930070402636e31ff61', // a set of values that never ends
      '300b02010373060484ffffffff', // a reference whose length is negative where numbers have 32 bits
    ];
    for (const entry of entries) assert.deepEqual(await evil([bound, Buffer.from(entry, 'hex')]), unreadable, entry);
    const policy = '1.3.6.1.4.1.42.2.27.8.5.1';
    const ofBind = (type: string, value: string): Buffer =>
      tlv(
        0x30,
        tlv(0x02, Buffer.of(1)),
        tlv(0x61, tlv(0x0a, Buffer.of(0)), tlv(0x04, ''), tlv(0x04, '')),
        tlv(0xa0, tlv(0x30, tlv(0x04, type), tlv(0x04, Buffer.from(value, 'hex')))),
      );
    // Words of a policy that lead out of themselves, hold numbers without a byte or with five, end in the middle, or are two.
    for (const value of ['30ff', '30028100', '3007810500000000ff', '300481', 'ff', '30020500', '3005a0038203', '3003810102300381010230', '']) {
      assert.deepEqual(await evil([ofBind(policy, value)]), unreadable, value);
    }
    // The library would read these, though nobody asked for them.
    for (const type of ['1.2.840.113556.1.4.319', '2.16.840.1.113730.3.4.7', '2.16.840.1.113730.3.4.3', '1.2.840.113556.1.4.473'])
      assert.deepEqual(await evil([ofBind(type, '30ff')]), unreadable, type);
    assert.deepEqual(await evil(['HTTP/1.1 400 Bad Request\r\n\r\n']), unreadable);
    assert.deepEqual(await evil([Buffer.from('30847fffffff', 'hex')]), unreadable);
  });

  test('attack: references to other servers beside what was found, as Active Directory sends them for a whole domain: nobody goes there', async () => {
    let calls = 0;
    const elsewhere = createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const named = (name: string, value: string): Buffer => tlv(0x30, tlv(0x04, name), tlv(0x31, tlv(0x04, value)));
    const found = Buffer.concat([
      message(3, tlv(0x64, tlv(0x04, 'cn=ada,dc=x'), tlv(0x30, named('entryUUID', 'uuid-of-ada'), named('mail', 'ada@example.org')))),
      message(3, tlv(0x73, tlv(0x04, `ldap://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/dc=x??sub`))),
      message(3, tlv(0x65, tlv(0x0a, Buffer.of(0)), tlv(0x04, ''), tlv(0x04, ''))),
    ]);
    const answer = await evil([bound, found, message(4, tlv(0x61, tlv(0x0a, Buffer.of(0)), tlv(0x04, ''), tlv(0x04, '')))]);
    elsewhere.close();
    assert.ok(answer.ok && answer.identity.subject === 'uuid-of-ada', JSON.stringify(answer));
    assert.equal(calls, 0);
  });

  test('attack: plain text that stands behind the answer to StartTLS, and a server that declines it', async () => {
    const agreed = Buffer.from('300c02010178070a010004000400', 'hex');
    const injected = await evil([Buffer.concat([agreed, bound])], 'start-tls');
    assert.ok(!injected.ok && injected.reason === 'unreachable', JSON.stringify(injected));
    const declined = await evil([Buffer.from('300c02010178070a010204000400', 'hex')], 'start-tls');
    assert.deepEqual(declined, { ok: false, reason: 'unreachable', detail: 'The server offers no encryption.' });
  });
});

describe('what an administrator types', () => {
  const whole = {
    directory: 'ldap',
    address: 'ldaps://ldap.example.org',
    base: 'dc=example,dc=org',
    serviceName: 'cn=x,dc=example,dc=org',
    servicePassword: 'secret',
  };
  const mistakesIn = (more: object): string[] => (ldap.settings.safeParse({ ...whole, ...more }).error?.issues ?? []).map((issue) => String(issue.path[0]));

  test('is taken as it stands, or refused with a sentence at its field', () => {
    assert.deepEqual(mistakesIn({}), []);
    const nested = '(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=CN=Staff,OU=Groups,DC=example,DC=org)(|(userPrincipalName={email})(mail={email})))';
    assert.deepEqual(mistakesIn({ filter: nested }), []);
    assert.deepEqual(mistakesIn({ address: 'LDAP://[2001:db8::1]:3268/', filter: '(uid={email})', subjectAttribute: 'nsUniqueId' }), []);
    for (const address of [
      'ldap.example.org',
      'https://ldap.example.org',
      'ldaps://a b',
      'ldaps://a@b',
      'ldaps://a/dc=x',
      'ldaps://a:0',
      'ldaps://a:65536',
      'ldapi://x',
      'ldaps://',
    ])
      assert.deepEqual(mistakesIn({ address }), ['address'], address);
    for (const filter of ['(mail=ada)', '(mail={email}', 'mail={email})(', '{email}', '(&)', '({email}=x)'])
      assert.deepEqual(mistakesIn({ filter })[0], 'filter', filter);
    for (const serviceName of ['', 'EXTERNAL', 'PLAIN']) assert.deepEqual(mistakesIn({ serviceName }), ['serviceName']);
    for (const name of ['two words', 'mail)(uid=*', 'userPassword', 'unicodePwd'])
      assert.deepEqual(mistakesIn({ emailAttribute: name }), ['emailAttribute'], name);
    for (const authority of ['no certificate', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'])
      assert.deepEqual(mistakesIn({ authority }), ['authority']);
    assert.deepEqual(mistakesIn({ base: '', servicePassword: '', directory: 'x' }).toSorted(), ['base', 'directory', 'servicePassword']);
    assert.deepEqual(ldap.fields.map((field) => field.name).toSorted(), Object.keys(ldap.settings.parse(whole) as object).toSorted());
  });
});
