import assert from 'node:assert/strict';
import path from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readSettings, unreadLines, VARIABLES, type Environment, type Settings } from './config.ts';

const DIRECTORY = path.resolve('/somewhere');

function read(environment: Environment, how: { development?: boolean; serving?: boolean } = {}) {
  return readSettings(environment, { development: true, serving: true, directory: DIRECTORY, ...how });
}

function settingsOf(environment: Environment, how: { development?: boolean; serving?: boolean } = {}): Settings {
  const result = read(environment, how);
  assert.ok(result.ok, JSON.stringify(result));
  return result.settings;
}

function mistakesOf(environment: Environment, how: { development?: boolean; serving?: boolean } = {}): readonly string[] {
  const result = read(environment, how);
  return result.ok ? [] : result.mistakes;
}

const SERVED = { TWINLOCK_ORIGIN: 'https://login.example.org', TWINLOCK_SMTP_URL: 'smtp://mail.example.org' };

suite('settings', () => {
  test('in development nothing has to be set', () => {
    assert.deepEqual(settingsOf({}), {
      development: true,
      name: 'Twinlock',
      signUp: 'open',
      host: 'localhost',
      port: 3000,
      origin: 'http://localhost:3000',
      dataDirectory: path.join(DIRECTORY, 'data'),
      database: { engine: 'sqlite', file: path.join(DIRECTORY, 'data', 'twinlock.sqlite') },
      keysFile: path.join(DIRECTORY, 'data', 'keys.json'),
      smtpUrl: undefined,
      mailFrom: { name: 'Twinlock', address: 'no-reply@localhost' },
      trustedProxies: [],
      privateHosts: [],
      argon2: { memoryKibibytes: 19_456, passes: 2, lanes: 1 },
      auditRetentionDays: undefined,
    });
    assert.equal(settingsOf({ TWINLOCK_PORT: '4000' }).origin, 'http://localhost:4000');
  });

  test('everything can be set', () => {
    const settings = settingsOf(
      {
        TWINLOCK_PORT: '8080',
        TWINLOCK_HOST: '::',
        TWINLOCK_ORIGIN: 'https://login.example.org/',
        TWINLOCK_DATA_DIR: '/var/lib/twinlock',
        TWINLOCK_DATABASE_URL: 'postgres://twinlock:secret@db.example.org/twinlock',
        TWINLOCK_SMTP_URL: 'smtps://user:p%40ss@mail.example.org:465',
        TWINLOCK_MAIL_FROM: 'Example Ltd <login@example.org>',
        TWINLOCK_KEYS_FILE: '/etc/twinlock/keys.json',
        TWINLOCK_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,::1',
        TWINLOCK_PRIVATE_HOSTS: 'LDAP.example.internal, 10.1.2.3,::1',
        TWINLOCK_NAME: 'Example Ltd',
        TWINLOCK_SIGN_UP: 'domains',
        TWINLOCK_ARGON2: 'm=65536,t=3,p=1',
        TWINLOCK_AUDIT_RETENTION_DAYS: '400',
      },
      { development: false },
    );
    assert.deepEqual(settings, {
      development: false,
      name: 'Example Ltd',
      signUp: 'domains',
      host: '::',
      port: 8080,
      origin: 'https://login.example.org',
      dataDirectory: '/var/lib/twinlock',
      database: { engine: 'postgres', url: 'postgres://twinlock:secret@db.example.org/twinlock' },
      keysFile: '/etc/twinlock/keys.json',
      smtpUrl: 'smtps://user:p%40ss@mail.example.org:465',
      mailFrom: { name: 'Example Ltd', address: 'login@example.org' },
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', '::1'],
      privateHosts: ['ldap.example.internal', '10.1.2.3', '::1'],
      argon2: { memoryKibibytes: 65_536, passes: 3, lanes: 1 },
      auditRetentionDays: 400,
    });
  });

  test('who may sign up: everybody where it is tried out, and who is invited where it is for real', () => {
    assert.equal(settingsOf({}).signUp, 'open');
    assert.equal(settingsOf(SERVED, { development: false }).signUp, 'invited');
    assert.equal(settingsOf({ ...SERVED, TWINLOCK_SIGN_UP: 'open' }, { development: false }).signUp, 'open');
  });

  test('each example that a message gives is right', () => {
    for (const [variable, example] of Object.entries(VARIABLES)) {
      assert.deepEqual(mistakesOf({ ...SERVED, [variable]: example }, { development: false }), [], variable);
      assert.ok(!example.includes(' or '), `${variable}: it is copied as it stands`);
    }
  });

  test('lines of a .env file that were meant to be settings and are none', () => {
    const right = [
      'TWINLOCK_PORT=3000',
      "  export TWINLOCK_NAME = 'Example Ltd'",
      '# TWINLOCK_PORT: 3000',
      '',
      'UNRELATED=TWINLOCK_PORT',
      'UNRELATED',
      'SHELL_LINE="about TWINLOCK_PORT: see the README"',
    ];
    assert.deepEqual(unreadLines(right.join('\n')), []);
    for (const line of [
      'TWINLOCK_SIGN_UP: invited',
      'TWINLOCK_SIGN_UP invited',
      'set TWINLOCK_SIGN_UP=invited',
      '- TWINLOCK_SIGN_UP=invited',
      'twinlock_sign_up=invited',
      'TWINLOCK_SIGN_UP',
    ])
      assert.deepEqual(
        unreadLines(`TWINLOCK_PORT=3000\r\n${line}\r\n`),
        [`Line 2 of .env has ${/twinlock_sign_up/i.exec(line)![0]} in it, but is not of the form NAME=value. Example: TWINLOCK_SIGN_UP='domains'`],
        line,
      );
    assert.doesNotMatch(unreadLines('TWINLOCK_SMTP_URL: smtp://user:hunter2@mail.example.org')[0]!, /hunter2/);
  });

  test('relative paths start from the folder where the command runs', () => {
    const settings = settingsOf({ TWINLOCK_DATABASE_URL: 'sqlite:here/portal.sqlite', TWINLOCK_KEYS_FILE: 'keys.json', TWINLOCK_DATA_DIR: 'elsewhere' });
    assert.deepEqual(settings.database, { engine: 'sqlite', file: path.join(DIRECTORY, 'here', 'portal.sqlite') });
    assert.equal(settings.keysFile, path.join(DIRECTORY, 'keys.json'));
    assert.equal(settings.dataDirectory, path.join(DIRECTORY, 'elsewhere'));
    assert.deepEqual(settingsOf({ TWINLOCK_DATABASE_URL: 'sqlite:///var/portal.sqlite' }).database, { engine: 'sqlite', file: '/var/portal.sqlite' });
  });

  const wrong: Record<string, readonly string[]> = {
    TWINLOCK_PORT: ['x', '0', '65536', '-1', '80.5', '1e3', '0x50'],
    TWINLOCK_HOST: ['not a host', '-x', 'http://localhost', 'a/b'],
    TWINLOCK_ORIGIN: [
      'login.example.org',
      'https://login.example.org/portal',
      'https://user@login.example.org',
      'https://login.example.org?x',
      'ftp://login.example.org',
      'https://',
    ],
    TWINLOCK_DATABASE_URL: ['mysql://localhost/x', 'sqlite:', 'twinlock.sqlite', 'postgres://'],
    TWINLOCK_SMTP_URL: ['mail.example.org', 'http://mail.example.org', 'smtp://'],
    TWINLOCK_MAIL_FROM: ['login', 'a@example.org, b@example.org', 'Example <login>', 'Bcc: x\r\n <login@example.org>'],
    TWINLOCK_PRIVATE_HOSTS: ['ldap.example.internal:636', 'https://idp.example.internal', 'a,,b', 'a b'],
    TWINLOCK_TRUSTED_PROXIES: ['proxy.example.org', '10.0.0.0/33', '0.0.0.0/0', '::/0', '10.0.0.1,', '10.0.0.0/8/8'],
    TWINLOCK_NAME: ['x'.repeat(61), 'Exam\u202eple', 'Exam\u0007ple'],
    TWINLOCK_SIGN_UP: ['closed', 'Open', 'true'],
    TWINLOCK_ARGON2: ['m=19455,t=2,p=1', 'm=19456,t=1,p=1', 'm=19456,t=2,p=0', 'argon2id', 'm=99999999,t=2,p=1'],
    TWINLOCK_AUDIT_RETENTION_DAYS: ['29', '0', '-400', '1e3', '36501', 'for ever', '30.5'],
  };
  for (const [variable, values] of Object.entries(wrong)) {
    test(`${variable} says what is wrong with it, and gives an example`, () => {
      for (const value of values) {
        const mistakes = mistakesOf({ [variable]: value });
        assert.equal(mistakes.length, 1, `${value}: ${mistakes.join()}`);
        assert.match(mistakes[0]!, new RegExp(`^${variable} .* Example: ${variable}='`), value);
      }
    });
  }

  test('every mistake is told at once', () => {
    const mistakes = mistakesOf({ TWINLOCK_PORT: 'x', TWINLOCK_NAME: 'y'.repeat(100), TWINLOCK_COLOUR: 'blue' }, { development: false });
    assert.deepEqual(
      mistakes.map((mistake) => mistake.split(' ')[0]),
      ['TWINLOCK_COLOUR', 'TWINLOCK_PORT', 'TWINLOCK_NAME', 'TWINLOCK_ORIGIN', 'TWINLOCK_SMTP_URL'],
    );
  });

  test('a name that nobody knows is a mistake, with the nearest that there is', () => {
    assert.match(mistakesOf({ TWINLOCK_PROT: '80' })[0]!, /^TWINLOCK_PROT is not a setting .* TWINLOCK_PORT\?$/);
    assert.match(mistakesOf({ TWINLOCK_DATABASE: 'x' })[0]!, /TWINLOCK_DATABASE_URL\?$/);
    assert.match(mistakesOf({ TWINLOCK_SMTP: 'x' })[0]!, /TWINLOCK_SMTP_URL\?$/);
    assert.deepEqual(mistakesOf({ TWINLOCK_NODE: '/opt/node', PATH: '/bin', OTHER: 'x' }), []);
  });

  test('without the development flag an https origin and a mail server are demanded', () => {
    assert.deepEqual(mistakesOf(SERVED, { development: false }), []);
    assert.equal(mistakesOf({}, { development: false }).length, 2);
    assert.match(mistakesOf({ ...SERVED, TWINLOCK_ORIGIN: 'http://login.example.org' }, { development: false })[0]!, /https/);
    assert.match(mistakesOf({ ...SERVED, TWINLOCK_SMTP_URL: ' ' }, { development: false })[0]!, /^TWINLOCK_SMTP_URL is missing/);
    // Other commands need neither: they reach nobody.
    assert.deepEqual(mistakesOf({}, { development: false, serving: false }), []);
    assert.deepEqual(mistakesOf({ TWINLOCK_ORIGIN: 'http://localhost:3000' }, { development: false, serving: false }), []);
  });

  test('no message repeats a password', () => {
    const mistakes = mistakesOf({ TWINLOCK_DATABASE_URL: 'mysql://user:hunter2@db/x', TWINLOCK_SMTP_URL: 'http://user:hunter2@mail' }).join();
    assert.doesNotMatch(mistakes, /hunter2/);
    assert.match(mistakes, /TWINLOCK_DATABASE_URL.*TWINLOCK_SMTP_URL/);
  });

  test('whatever is set, the answer is settings or sentences', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(VARIABLES)), fc.string({ unit: 'binary' })), fc.boolean(), (environment, development) => {
        const result = read(environment, { development });
        assert.ok(result.ok || (result.mistakes.length > 0 && result.mistakes.every((mistake) => /^TWINLOCK_\w+ /.test(mistake))));
      }),
    );
  });
});
