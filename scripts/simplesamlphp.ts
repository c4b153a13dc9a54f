/**
 * SAML against another hand's provider: Debian's SimpleSAMLphp. `scripts/node scripts/simplesamlphp.ts`, with
 *   apt-get install simplesamlphp php-cli php-xml php-mbstring php-curl
 * on Debian 12. Prints what was gone through, and ends with 1 where something is not as it should be.
 */
import assert from 'node:assert/strict';
import { saml } from '../src/sso/saml/saml.ts';
import { SamlConnection } from '../test/support/saml-connection.ts';
import { keyPair } from '../test/support/saml-provider.ts';
import { IS_MISSING, SimpleSamlPhp } from '../test/support/simple-saml-php.ts';
import { TestClock } from '../test/support/world.ts';

if (IS_MISSING) {
  console.error('SimpleSAMLphp is not installed. On Debian: apt-get install simplesamlphp php-cli php-xml php-mbstring php-curl');
  process.exit(1);
}

for (const signsResponse of [true, false]) {
  const connection = new SamlConnection({}, { clock: new TestClock(Date.now()) });
  await connection.change({ signs: true, groupsAttribute: 'groups' });
  const certificate = connection.settings.ownKeys[0]!.certificate;
  await using provider = await SimpleSamlPhp.start({ key: await keyPair(0), addresses: connection.addresses, certificate, signsResponse });
  await connection.change({ metadataAddress: provider.metadataAddress });

  const left = await connection.leave();
  const answer = await provider.goThrough(left.url);
  assert.equal(answer.to, connection.addresses.callback);
  const finished = await connection.finish(left, answer);
  assert.ok(finished.ok, JSON.stringify(finished));
  const { subject, email, name, groups, methods, logoutHint, providerSession } = finished.identity;
  console.log(
    `signed in${signsResponse ? ', response and assertion signed' : ', the assertion signed'}:`,
    JSON.stringify({ subject, email, name, groups, methods }),
  );

  const again = await connection.leave();
  const replayed = await connection.finish(again, { ...answer, fields: { ...answer.fields, RelayState: again.state } });
  assert.ok(!replayed.ok && /another request/.test(replayed.detail));
  const changed = Buffer.from(answer.fields['SAMLResponse']!, 'base64').toString().replaceAll('jane@', 'root@');
  const forged = await connection.finish(left, { ...answer, fields: { ...answer.fields, SAMLResponse: Buffer.from(changed).toString('base64') } });
  assert.ok(!forged.ok && /not signed by a certificate/.test(forged.detail));
  console.log('replayed, and changed: refused');

  const second = await connection.leave({ fresh: true });
  const fresh = await connection.finish(second, await provider.goThrough(second.url));
  assert.ok(fresh.ok && fresh.identity.subject === subject, JSON.stringify(fresh));
  console.log('signed in anew: the same person');

  const out = await provider.follow((await connection.logoutUrl(fresh.identity.logoutHint ?? logoutHint!, 'state'))!);
  assert.ok(out.startsWith(connection.addresses.signedOut) || saml.isSignOutAnswer!({ url: new URL(out), form: undefined }), out);
  console.log('signed out there, and back at', new URL(out).pathname);

  const third = await connection.leave();
  const last = await connection.finish(third, await provider.goThrough(third.url));
  assert.ok(last.ok && last.identity.providerSession !== providerSession);
  const request = await provider.follow(`${provider.origin}/saml2/idp/SingleLogoutService.php?ReturnTo=${encodeURIComponent(provider.metadataAddress)}`);
  const read = await connection.readLogout(request);
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual([read.subject, read.providerSessions], [subject, [last.identity.providerSession]]);
  console.log('a sign-out that began there: of', read.subject);
}
