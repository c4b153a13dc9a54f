// What the API owes: a document that OpenAPI 3.1 accepts, and every verb of the console.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { SCOPES } from '../../src/sessions/sessions.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { Program } from '../support/program-client.ts';
import { routesOf } from '../support/routes.ts';

/** Each form of the console, and the operation that does the same; or why programs do not do it. A new form fails the test below until it stands here. */
const VERBS: Readonly<Record<string, string | { readonly leftOut: string }>> = {
  '/admin/people/export': { leftOut: 'listPeople gives the same, page by page' },
  '/admin/people/invite': 'invite',
  '/admin/people/invitations/:id/resend': 'resendInvitation',
  '/admin/people/invitations/:id/revoke': 'revokeInvitation',
  '/admin/people/:id/role': 'changeRole',
  '/admin/people/:id/remove': 'removePerson',
  '/admin/people/:id/end-sessions': 'endSessions',
  '/admin/people/:id/suspend': 'suspendPerson',
  '/admin/people/:id/resume': 'resumePerson',
  '/admin/people/:id/require-password': 'requireNewPassword',
  '/admin/people/:id/resend-verification': 'resendVerification',
  '/admin/people/:id/make-owner': 'transferOwnership',
  '/admin/people/:id/bypass-code': 'issueBypassCode',
  '/admin/people/:id/bypass-code/revoke': 'revokeBypassCode',
  '/admin/help/:id/close': 'closeHelpRequest',
  '/admin/people/:id/reset': 'askForReset',
  '/admin/people/:id/reset/approve': 'approveReset',
  '/admin/people/:id/reset/stop': 'stopReset',
  '/admin/policy/preview': 'previewPolicy',
  '/admin/policy/preview/tell': 'announcePreview',
  '/admin/policy/preview/export': 'listPreviewPeople',
  '/admin/policy/save': 'savePreview',
  '/admin/policy/restore': 'restorePolicyVersion',
  '/admin/audit/checkpoint': 'readCheckpoint',
  '/admin/audit/export': 'exportEvents',
  '/admin/audit/webhook': 'setWebhook',
  '/admin/audit/webhook/test': 'testWebhook',
  '/admin/audit/webhook/pause': 'pauseWebhook',
  '/admin/audit/webhook/resume': 'resumeWebhook',
  '/admin/audit/webhook/remove': 'removeWebhook',
  '/admin/api-keys/:id/stand-by': { leftOut: 'it is where a person shows that it is them' },
  '/admin/api-keys/new': 'makeApiKey',
  '/admin/sso/new': 'addSsoConnection',
  '/admin/sso/:id': 'changeSsoConnection',
  '/admin/sso/:id/on': 'turnOnSsoConnection',
  '/admin/sso/:id/off': 'turnOffSsoConnection',
  '/admin/sso/:id/required': 'requireSsoConnection',
  '/admin/sso/:id/optional': 'makeSsoConnectionOptional',
  '/admin/sso/:id/remove': 'removeSsoConnection',
  '/admin/sso/:id/test': { leftOut: 'somebody goes to the provider and comes back, in a browser' },
  '/admin/sso/domains/add': 'addSsoDomain',
  '/admin/sso/domains/check': 'checkSsoDomain',
  '/admin/sso/domains/remove': 'removeSsoDomain',
  '/admin/sso/domains/lead': 'leadSsoDomain',
  '/admin/apps/new': 'addApp',
  '/admin/apps/:id': 'changeApp',
  '/admin/apps/:id/remove': 'removeApp',
  '/admin/api-keys/:id/revoke': 'revokeApiKey',
};

let portal: Portal;
let document: Record<string, unknown>;
before(async () => {
  portal = await openPortal({ engine: 'sqlite', path: ':memory:', installation: { name: 'Herons & <Cranes>' } });
  document = (await new Program(portal, undefined).get('/openapi.json')).json!;
});
after(() => portal.close());

interface Described {
  readonly operationId: string;
  readonly security: readonly { readonly apiKey: readonly string[] }[];
}

const operations = (): Described[] =>
  Object.values(document['paths'] as Record<string, Record<string, Described>>).flatMap((methods) => Object.values(methods));

test('the document is one of OpenAPI 3.1, by its own schema, and every reference in it leads somewhere', async () => {
  const validated = await new Validator().validate(structuredClone(document));
  assert.deepEqual(validated, { valid: true });
  assert.equal(document['openapi'], '3.1.0');
  const { schemas } = document['components'] as { schemas: Record<string, unknown> };
  const references = new Set([...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((found) => found[1]!));
  assert.deepEqual(
    [...references].filter((name) => !Object.hasOwn(schemas, name)),
    [],
  );
  assert.deepEqual(
    Object.keys(schemas).filter((name) => !references.has(name)),
    [],
  );
  assert.notDeepEqual(await new Validator().validate({ ...document, paths: { people: {} } }), { valid: true }, 'the validator sees something');
});

test('every verb of the console has an operation, or the reason why not; and every scope an operation that asks for it', () => {
  const forms = routesOf(portal.app)
    .filter(({ method, path }) => method === 'POST' && path.startsWith('/admin/'))
    .map(({ path }) => path);
  assert.deepEqual(forms.toSorted(), Object.keys(VERBS).toSorted());
  const ids = operations().map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [form, verb] of Object.entries(VERBS)) assert.ok(typeof verb === 'object' ? verb.leftOut !== '' : ids.includes(verb), form);
  // Directories ask at an address of their own, as SCIM has it.
  const asked = [...new Set(operations().flatMap(({ security }) => security[0]!.apiKey))].toSorted();
  assert.deepEqual(asked, SCOPES.filter((scope) => scope !== 'scim').toSorted());
});

test('the page says of every operation what the document says', async () => {
  const browser = portal.browser();
  const page = await browser.visit('/api/docs');
  for (const { operationId } of operations()) assert.ok(page.root.querySelector(`#${operationId}`), operationId);
  assert.ok(page.has('Herons & <Cranes>'));
  const targets = [...page.body.matchAll(/href="#([^"]+)"/g)].map((found) => found[1]!);
  for (const target of new Set(targets)) assert.ok(page.root.querySelector(`[id="${target}"]`), target);
});
