/**
 * OpenID Connect against another hand's provider: Debian's LemonLDAP::NG. `scripts/node scripts/lemonldap.ts`, with
 *   apt-get install --no-install-recommends liblemonldap-ng-portal-perl libplack-perl libio-string-perl libhash-merge-simple-perl \
 *     libstring-random-perl libgd-perl libgd-securityimage-perl libimage-magick-perl libcrypt-openssl-x509-perl libconvert-pem-perl
 * on Debian 12. Prints what was gone through, and ends with 1 where something is not as it should be.
 */
import assert from 'node:assert/strict';
import { CLIENT, IS_MISSING, LemonLdap } from '../test/support/lemon-ldap.ts';
import { OpenIdConnection } from '../test/support/openid-connection.ts';
import { ownAddresses, refusalOf } from '../test/support/protocol-connection.ts';
import { TestClock } from '../test/support/world.ts';

if (IS_MISSING) {
  console.error('LemonLDAP::NG is not installed. The first lines of this file say which packages of Debian it takes.');
  process.exit(1);
}

await using provider = await LemonLdap.start({ addresses: ownAddresses('ours') });
const clock = new TestClock(Date.now());
const connection = (more = {}) => new OpenIdConnection({ issuer: provider.issuer, ...CLIENT, ...more }, { clock });
const ours = connection();

const left = await ours.leave();
const back = await provider.goThrough(left.url);
const finished = await ours.finish(left, back);
assert.ok(finished.ok, JSON.stringify(finished));
const { subject, email, emailVerified, name, methods, authenticatedAt, logoutHint } = finished.identity;
console.log('signed in:', JSON.stringify({ subject, email, emailVerified, name, methods, authenticatedAt }));
assert.deepEqual([subject, email, name], ['dwho', 'dwho@badwolf.org', 'Doctor Who']);

console.log('the same code again:', refusalOf(await ours.finish(left, back)).detail);

const [theirs, own] = [await ours.leave(), await ours.leave()];
const stolen = (await provider.goThrough(theirs.url)).searchParams.get('code')!;
const injected = await provider.goThrough(own.url);
injected.searchParams.set('code', stolen);
console.log('somebody else’s code (PKCE):', refusalOf(await ours.finish(own, injected)).detail);

const inHeader = connection({ secretBy: 'basic' });
const third = await inHeader.leave();
console.log('the secret in the header, which it does not decode:', refusalOf(await inHeader.finish(third, await provider.goThrough(third.url))).detail);

clock.advance(2000);
const fourth = await ours.leave({ fresh: true });
const fresh = await ours.finish(fourth, await provider.goThrough(fourth.url));
console.log('signed in anew:', fresh.ok ? 'the same person' : refusalOf(fresh).detail);

const out = await provider.goThrough((await ours.logoutUrl(logoutHint!, 'state'))!, { confirm: '1' });
assert.ok(out.href.startsWith(ours.addresses.signedOut), out.href);
console.log('signed out there, and back at', out.pathname);
