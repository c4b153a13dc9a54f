/**
 * LDAP against another hand's directory: Debian's slapd. `scripts/node scripts/slapd.ts`, with
 *   apt-get install slapd
 * on Debian 12. Prints what was gone through, and ends with 1 where something is not as it should be.
 */
import assert from 'node:assert/strict';
import { makeNetwork } from '../src/platform/http/network.ts';
import { systemRandom } from '../src/platform/real.ts';
import { ldap } from '../src/sso/ldap/ldap.ts';
import { IS_MISSING, Slapd } from '../test/support/slapd.ts';

if (IS_MISSING) {
  console.error('slapd is not installed. On Debian: apt-get install slapd');
  process.exit(1);
}

const tools = { now: Date.now(), random: systemRandom, network: makeNetwork({ privateHosts: ['localhost'] }), installationName: 'Example' };
await using directory = await Slapd.start();
const ask = (email: string, password: string, changed: Readonly<Record<string, string | boolean>> = {}) =>
  ldap.check(tools, { settings: ldap.settings.parse({ ...directory.settings, ...changed }), email, password });
const isWrong = async (email: string, password: string): Promise<void> => {
  const answer = await ask(email, password);
  assert.deepEqual([answer.ok, !answer.ok && answer.reason], [false, 'wrong'], JSON.stringify(answer));
};

for (const [how, changed] of [
  ['by ldaps', {}],
  ['by StartTLS', { address: directory.startTls }],
] as const) {
  const answer = await ask('Ada@example.org', 'password of ada', changed);
  assert.ok(answer.ok, JSON.stringify(answer));
  const { subject, email, name, groups, claims } = answer.identity;
  assert.deepEqual([email, name, claims['dn']], ['ada@example.org', 'ada Example', 'uid=ada,ou=people,dc=example,dc=org']);
  assert.deepEqual(groups, ['cn=Engineers,dc=example,dc=org']);
  assert.match(subject, /^[\da-f-]{36}$/);
  console.log(`signed in ${how}:`, JSON.stringify({ subject, email, name, groups }));
}
for (const [email, password] of [
  ['ada@example.org', 'password of bob'],
  ['nobody@example.org', 'password of ada'],
  ['*', 'password of ada'],
  ['ada@example.org)(uid=*', 'password of ada'],
  ['locked@example.org', 'password of locked'],
] as const)
  await isWrong(email, password);
console.log('another’s password, nobody, what would be a filter, and an account that is locked: refused');

for (const [what, changed, pattern] of [
  ['the service account’s password', { servicePassword: 'another' }, /service account/],
  ['where people are', { base: 'ou=nowhere,dc=example,dc=org' }, /nothing in the directory where people should be found/],
  ['an authority', { authority: '' }, /./],
] as const) {
  const answer = await ask('ada@example.org', 'password of ada', changed);
  assert.ok(!answer.ok && 'detail' in answer && pattern.test(String(answer.detail)), JSON.stringify(answer));
  console.log(`without ${what}: ${String(answer.detail)}`);
}

for (let tries = 0; tries < 3; tries += 1) await isWrong('bob@example.org', `guess ${tries}`);
await isWrong('bob@example.org', 'password of bob');
console.log('what slapd itself locked after three guesses: refused');

for (const uid of ['reset', 'grace', 'expired']) {
  await isWrong(`${uid}@example.org`, 'a guess');
  const answer = await ask(`${uid}@example.org`, `password of ${uid}`);
  assert.ok(!answer.ok && answer.reason === 'change-first', JSON.stringify(answer));
  console.log(`a right password, of ${uid}: ${answer.detail}`);
}
