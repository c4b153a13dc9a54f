/**
 * A directory that keeps people and groups at the portal by SCIM, as Okta and Entra do, in process.
 *   const directory = new DirectoryClient(portal, await makeKey(owner, { scopes: ['scim'] }));
 *   const { status, json } = await directory.ask('GET', '/Users?filter=userName eq "ada@example.com"');
 * Every refusal that it gets is held against RFC 7644, 3.12.
 */
import assert from 'node:assert/strict';
import type { Portal } from './portal.ts';

export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Empty where there is no body. */
  readonly json: Readonly<Record<string, unknown>>;
}

export class DirectoryClient {
  readonly #portal: Portal;
  readonly #key: string | undefined;

  constructor(portal: Portal, key: string | undefined) {
    this.#portal = portal;
    this.#key = key;
  }

  /** `body`: text goes as it is; anything else as JSON. */
  async ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await this.#portal.send({
      method,
      url: `/scim/v2${path.replaceAll(' ', '%20').replaceAll('"', '%22')}`,
      remoteAddress: '198.51.100.9',
      headers: {
        'user-agent': 'directory/1.0',
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    const { statusCode: status } = response;
    assert.equal(response.headers['set-cookie'], undefined, 'No cookie is given to a directory.');
    if (response.body !== '') assert.match(String(response.headers['content-type']), /^application\/scim\+json\b/, response.body);
    const json = (response.body === '' ? {} : JSON.parse(response.body)) as Record<string, unknown>;
    if (status >= 400) {
      assert.deepEqual(json['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error']);
      assert.equal(json['status'], String(status));
      assert.match(String(json['detail']), /^[A-Z].*\.$/);
    }
    return { status, headers: response.headers, json };
  }

  async patch(path: string, ...operations: readonly unknown[]): Promise<Said> {
    return this.ask('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations });
  }

  /** As Okta sends somebody. Returns their id. */
  async makeUser(email: string, more: Record<string, unknown> = {}): Promise<string> {
    const made = await this.ask('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: email,
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      emails: [{ primary: true, value: email, type: 'work' }],
      displayName: 'Ada Lovelace',
      locale: 'en-US',
      externalId: `okta-${email}`,
      groups: [],
      active: true,
      ...more,
    });
    assert.equal(made.status, 201, JSON.stringify(made.json));
    return String(made.json['id']);
  }

  async idsOf(path: string): Promise<string[]> {
    const { status, json } = await this.ask('GET', path);
    assert.equal(status, 200, JSON.stringify(json));
    return (json['Resources'] as { id: string }[]).map(({ id }) => id);
  }
}
