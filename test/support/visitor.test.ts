import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import formbody from '@fastify/formbody';
import fastify from 'fastify';
import { html } from '../../src/platform/html/html.ts';
import { Visitor } from './visitor.ts';

const pageOf = (main: string): string =>
  `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8" /><title>Try</title></head>\n<body><main><h1>Try it</h1>${main}</main></body>\n</html>\n`;

const app = fastify();
after(() => app.close());
await app.register(formbody);
app.addHook('onSend', async (_, reply) => void reply.type('text/html; charset=utf-8'));
app.get('/form', async () =>
  pageOf(`<p role="alert">Not   so.</p>
<form method="post" action="/form"><input type="hidden" name="form_token" value="tok&amp;en" />
<label for="a">Email</label><input type="text" id="a" name="email" /><label><input type="checkbox" name="keep" value="yes" /> Keep me</label>
<button type="submit" name="way" value="first">Go on</button><button type="submit" name="way" value="second">Go back</button></form>
<ul><li>Old phone <a href="/remove?id=1">Remove</a></li><li>New phone <a href="/remove?id=2">Remove</a></li></ul>
<details><summary>Profile</summary><a href="/account?a=1">Manage Account</a></details>`),
);
app.post('/form', async (request, reply) => {
  const query = new URLSearchParams(request.body as Record<string, string>);
  return reply.header('set-cookie', ['kept=1; Path=/; HttpOnly', 'seen=x%20y; Secure']).redirect(`/seen?${query.toString()}`, 303);
});
app.get('/seen', async (request, reply) => {
  void reply.header('set-cookie', 'kept=; Max-Age=0; Path=/');
  const got = { ...(request.query as object), cookie: request.headers.cookie, ip: request.ip };
  return pageOf(html`<p>${JSON.stringify(got)}</p>`.toString());
});
app.get('/remove', async (request) => pageOf(`<p>Removed ${(request.query as { id: string }).id}.</p>`));
app.get('/account', async () => pageOf('<p>Account.</p>'));
app.get('/bad', async () => pageOf('<p><div>Wrong</div></p>'));

test('a visitor fills what the labels name, presses what the words name, and keeps cookies', async () => {
  const visitor = new Visitor(app);
  await visitor.visit('/form');
  assert.equal(visitor.page.heading, 'Try it');
  assert.equal(visitor.page.alert, 'Not so.');
  visitor.fill('Email', 'a"b<c>&d@example.org');
  assert.equal(visitor.page.value('Email'), 'a"b<c>&d@example.org');
  visitor.check('Keep me');
  await visitor.press('Go back');
  assert.equal(visitor.page.path, '/seen');
  assert.deepEqual(JSON.parse(visitor.page.text.replace('Try it', '')), {
    form_token: 'tok&en',
    email: 'a"b<c>&d@example.org',
    keep: 'yes',
    way: 'second',
    cookie: 'kept=1; seen=x%20y',
    ip: '192.0.2.10',
  });
  assert.deepEqual(visitor.cookies.names, ['seen']);
  assert.deepEqual(visitor.fork().cookies.names, []);
  await visitor.back();
  assert.equal(visitor.page.path, '/form');
});

test('a visitor tells apart what bears the same name, and opens menus first', async () => {
  const visitor = new Visitor(app);
  await visitor.visit('/form');
  await assert.rejects(visitor.press('Remove'), /2 of the button or link 'Remove'/);
  await assert.rejects(visitor.press('Manage Account'), /no button or link/);
  await visitor.press('Profile');
  await visitor.press('Manage Account');
  assert.equal(visitor.page.path, '/account');
  await visitor.back();
  await visitor.press('Remove', { near: 'New phone' });
  assert.ok(visitor.page.has('Removed 2.'));
});

test('a visitor refuses a page that is not valid HTML', async () => {
  await assert.rejects(new Visitor(app).visit('/bad'), /is not valid HTML:[^]*<div>/);
});
